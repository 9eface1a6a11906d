"""Safety: what was acknowledged to a writer is what readers see."""

from collections.abc import Collection

from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender

WRITE, READ = "project-write", "project-read"
STALE_READ = "StaleRead"
"""Error of a write that was acknowledged, and not seen by the read that followed it at another replica."""


def no_stale_read(history: History, *, replicas: Collection[str]) -> Judgement:
    """Whoever reads after an acknowledged write sees it, at any replica; and so it stays after the last heal.

    A write (kind project-write) was acknowledged when its value says so, whatever became of the read that followed.
    After the heal each of `replicas` is asked (kind project-read): it must say what the last acknowledged write of that
    project said, or what a later one did whose outcome is not known.

    False: a read that missed an acknowledged write, at once or in the end.
    Unknown: no acknowledged write; no healed disruption; a replica that did not answer after the heal.
    """
    writes = [op for op in history.operations if op.kind == WRITE]
    acknowledged = [op for op in writes if op.ok or op.value.get("acknowledged")]
    disruptions = history.disruptions()
    offenders = [_stale(op) for op in writes if op.error == STALE_READ]
    unknowns = unhealed(disruptions)
    if not acknowledged:
        unknowns.append("no write was acknowledged")
    lost = 0
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        allowed = _allowed(writes, acknowledged[-1])
        for replica in replicas:
            reads = [
                op
                for op in history.operations
                if op.kind == READ and op.replica == replica and op.invoked_ns >= healed_ns and op.ok
            ]
            if not reads:
                unknowns.append(f"{replica} did not say after the heal what was written")
            elif reads[-1].value["public"] not in allowed:
                lost += 1
                expected = (
                    f"tells the last write that was acknowledged (public: {acknowledged[-1].value['public']})"
                )
                offenders.append(
                    Offender(replica, expected, f"public: {reads[-1].value['public']}", uids_of(reads))
                )
    return Judgement(
        "no-stale-read",
        tuple(offenders),
        tuple(unknowns),
        measured={
            "writes": len(acknowledged),
            "stale_reads": sum(op.error == STALE_READ for op in writes) + lost,
        },
    )


def _allowed(writes: list[Operation], last: Operation) -> set[bool]:
    """What may be read: what the last acknowledged write said, and later ones of which nobody knows."""
    later = [op for op in writes if op.invoked_ns > last.invoked_ns and op.outcome != "fail"]
    return {op.value["public"] for op in (last, *later)}


def _stale(op: Operation) -> Offender:
    return Offender(
        op.value.get("reader", "a replica"),
        f"sees the write that {op.replica} has just acknowledged (public: {op.value['public']})",
        "the value of before",
    )
