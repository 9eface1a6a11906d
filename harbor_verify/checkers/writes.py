"""Safety: what was written through the API is there in the end, as in Jepsen's test of a set.

Each write (kind value-write) adds a value that nobody else writes, so that no other can stand in for it. A write is
attempted, and then acknowledged, refused, or neither: without an answer it stays possible for ever, and may land at any
time, however late.
"""

from collections.abc import Collection
from functools import partial

from harbor_verify.checkers.confirmation import asked_for, confirmed, span_ms
from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender

WRITE, READ = "value-write", "value-read"
VALUES_MISSING = "ValuesMissing"
"""Error of a read, after the heal, that lacks acknowledged values: `value["values"]` names what was there."""
_SHOWN = 5


def acknowledged(op: Operation) -> bool:
    """Whether a write was acknowledged, whatever became of the read that followed it."""
    return op.ok or bool(op.value.get("acknowledged"))


def no_write_lost(history: History, *, replicas: Collection[str]) -> Judgement:
    """Every value whose write was acknowledged is there on each of `replicas` after the last heal, and none is there
    that was refused, or that nobody wrote.

    Only reads (kind value-read) count that began after the heal. A value is lost where a replica's reads lacked it to
    the end of a span of repeated asking (harbor_verify/checkers/confirmation.py).

    False: an acknowledged value is lost; a value is there that was surely refused, or never written.
    Unknown: no acknowledged write; no healed disruption; no replica to ask; one that did not answer, or whose reads
    lacked something for too short a time to be sure.
    """
    writes = [op for op in history.operations if op.kind == WRITE]
    kept = list(dict.fromkeys(op.value["value"] for op in writes if acknowledged(op)))
    refused = {op.value["value"] for op in writes if op.outcome == "fail" and not acknowledged(op)}
    attempted = {op.value["value"] for op in writes}
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    if not kept:
        unknowns.append("no write was acknowledged")
    if not replicas:
        unknowns.append("there was no replica to ask")
    offenders: list[Offender] = []
    lost: dict[str, list[str]] = {}
    unexpected: dict[str, list[str]] = {}
    seen: set[str] = set()
    if not unknowns:
        confirmation_ms = span_ms(history)
        healed_ns = last_heal_ns(disruptions)
        for replica in replicas:
            reads = [
                op
                for op in history.operations
                if op.kind == READ
                and op.replica == replica
                and op.invoked_ns >= healed_ns
                and op.outcome is not None
            ]
            answered = [op for op in reads if "values" in op.value]
            if not answered or not (reads[-1].ok or reads[-1].error == VALUES_MISSING):
                why = confirmed(reads, says_lost=lambda op: False, span_ms=confirmation_ms)
                unknowns.append(f"{replica} did not say in the end what was written: {why}")
                continue
            there = set(answered[-1].value["values"])
            seen |= there
            for value in kept:
                if value in there:
                    continue
                gone = confirmed(reads, says_lost=partial(_lacks, value), span_ms=confirmation_ms)
                if gone is False:
                    lost.setdefault(replica, []).append(value)
                else:
                    unknowns.append(f"{value} on {replica}: {gone}")
            if strange := sorted((there - attempted) | (there & refused)):
                unexpected[replica] = strange
                expected = "holds what was written, and nothing that was refused or that nobody wrote"
                offenders.append(Offender(replica, expected, f"{_some(strange)}", uids_of(answered)))
            if replica in lost:
                expected = f"holds the {len(kept)} values whose writes were acknowledged"
                observed = f"not {_some(lost[replica])}, {asked_for(confirmation_ms)}"
                offenders.append(Offender(replica, expected, observed, uids_of(answered)))
    possible = attempted - set(kept) - refused
    recovered = sorted(possible & seen)
    all_lost = sorted({value for values in lost.values() for value in values})
    return Judgement(
        "no-write-lost",
        tuple(offenders),
        tuple(unknowns),
        measured={"writes": len(kept), "writes_lost": len(all_lost)},
        evidence={
            "attempted_count": len(attempted),
            "acknowledged_count": len(kept),
            "possible": sorted(possible),
            "recovered": recovered,
            "lost": lost,
            "unexpected": unexpected,
        },
    )


def _lacks(value: str, op: Operation) -> bool:
    return "values" in op.value and value not in op.value["values"]


def _some(values: Collection[str]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(list(values)[:_SHOWN]) + more
