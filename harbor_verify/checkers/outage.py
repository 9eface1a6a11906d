"""Availability: how long a client went without a good answer."""

import statistics
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from harbor_verify.checkers.availability import outages, since_injection
from harbor_verify.checkers.coverage import silences
from harbor_verify.checkers.hung_connections import KeptToHung, held_up
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, Outage, uids_of
from harbor_verify.history.judged import OUTAGES
from harbor_verify.history.pulse import starved_during
from harbor_verify.verdict import Offender


def longest_outage(
    history: History,
    *,
    clients: Collection[str],
    budget_ms: float,
    slow_ms: float | None = None,
    kept: Collection[KeptToHung] = (),
) -> Judgement:
    """No client's longest outage is above `budget_ms` milliseconds, and no good answer slower by `slow_ms`.

    What an outage is, and how long, is said in harbor_verify/history/outages.py. Only what was asked, or under way,
    since the first injection counts. An ok that let its client wait for more than `slow_ms` for one request counts as
    well (None: the budget): who hangs for 10 s and then answers was away for 10 s. From that wait is taken what the
    same kind of operation at the same place took before anything was broken, the median, up to `slow_ms` itself: what
    is always slow is not the disruption's doing, and one slow answer of the warm-up excuses none. Where it is too slow,
    or the good answer after a bad one too late, only with the time in which the machine that asked was starved
    (harbor_verify/history/pulse.py), that is unknown.

    An outage that is above the budget only with what was held up by a connection that is `kept` to a pod that hangs
    (harbor_verify/checkers/hung_connections.py) is told as a flaw that every Harbor has.

    False: some such time is above the budget, even if only the part that is in the history.
    Unknown: an answer that may have been too slow for want of a CPU on this side; a history that begins or ends inside
    an outage; a client that asked nothing during a disruption, or not for longer than the budget; operations that could
    not be asked, where they hide more than the budget.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    evidence: dict[str, dict[str, Any]] = {}
    slow_ms = budget_ms if slow_ms is None else slow_ms
    injected_ns = [disruption.inject.at_ns for disruption in history.disruptions()]
    held = {each.flaw: held_up(history, each) for each in kept}
    flaws: set[str] = set()
    usual_ms = _usual_ms(history, before_ns=min(injected_ns, default=0), at_most_ms=slow_ms)
    for client in clients:
        operations = since_injection(history, client)
        uids = uids_of(op for op in operations if not op.ok)
        seen = outages(history, client)
        worst = max(seen, key=lambda outage: outage.outage_ms, default=None)
        slowest_ok_ms = max((op.waited_ms for op in operations if op.ok), default=0.0)
        for outage in seen:
            held_ms = {
                flaw: sum(_within_ms(op, outage, history) for op in found if op.client == client)
                for flaw, found in held.items()
            }
            above_ms = outage.outage_ms - budget_ms
            if 0 < above_ms <= sum(held_ms.values()) and not outage.begins_or_ends_unseen:
                flaws |= {flaw for flaw, ms in held_ms.items() if ms}
            elif outage.sure_ms > budget_ms:
                offenders.append(_offender(client, outage, budget_ms, uids))
            elif outage.outage_ms > budget_ms:
                unknowns.append(f"{client}: {_unsure(outage)}")
            elif outage.begin_ns is None or outage.end_ns is None:
                side = "begins" if outage.begin_ns is None else "ends"
                unknowns.append(
                    f"{client}: the history {side} inside an outage of {outage.outage_ms:.0f} ms or more"
                )
        late = [op for op in operations if op.ok and op.waited_ms - usual_ms(op) > slow_ms]
        sure = [op for op in late if op.waited_ms - usual_ms(op) - starved_during(history, op).ms > slow_ms]
        if sure:
            slowest = max(sure, key=lambda op: op.waited_ms)
            offenders.append(_late(client, slowest, slow_ms, usual_ms(slowest)))
        elif late:
            slowest = max(late, key=lambda op: op.waited_ms)
            unknowns.append(
                f"{client}: waited {slowest.waited_ms:.0f} ms for one ({slowest.kind}), but this machine was starved "
                f"meanwhile: {starved_during(history, slowest)}"
            )
        unknowns += silences(history, client, longest_ms=budget_ms)
        evidence[client] = {
            "outage_ms": round(worst.outage_ms, 3) if worst else 0.0,
            "slowest_ok_ms": round(slowest_ok_ms, 3),
            "operations": len(operations),
            "outages": [asdict(outage) for outage in seen],
        }
    if not clients:
        unknowns.append("there was no client to ask")
    return Judgement(
        OUTAGES,
        tuple(offenders),
        tuple(unknowns),
        measured={
            name: max((evidence_of_client[name] for evidence_of_client in evidence.values()), default=0.0)
            for name in ("outage_ms", "slowest_ok_ms")
        },
        flaws=tuple(sorted(flaws)),
        evidence={"clients": evidence},
    )


def _within_ms(op: Operation, outage: Outage, history: History) -> float:
    """For how long of an outage this operation was under way."""
    end_ns = history.end_ns if op.completed_ns is None else op.completed_ns
    return max(0, min(end_ns, outage.to_ns) - max(op.invoked_ns, outage.from_ns)) / 1e6


def _usual_ms(history: History, *, before_ns: int, at_most_ms: float) -> Callable[[Operation], float]:
    """How long such an operation took before something was broken, the median; 0 where that was not seen."""
    waits_ms: dict[tuple[str, str], list[float]] = {}
    for op in history.operations:
        if op.ok and op.completed_ns is not None and op.completed_ns < before_ns:
            waits_ms.setdefault((op.kind, op.replica), []).append(op.waited_ms)
    usual_ms = {key: min(statistics.median(waits), at_most_ms) for key, waits in waits_ms.items()}
    return lambda op: usual_ms.get((op.kind, op.replica), 0.0)


def _late(client: str, op: Operation, slow_ms: float, usual_ms: float) -> Offender:
    more = f" more than usual before anything was broken ({usual_ms:.0f} ms)" if usual_ms else ""
    return Offender(
        client,
        f"an answer within {slow_ms:.0f} ms{more}",
        f"waited {op.waited_ms:.0f} ms for one ({op.kind})",
        uids_of([op]),
    )


def _unsure(outage: Outage) -> str:
    """Why it may not have been as long as it seems."""
    if outage.unasked:
        return f"{outage.unasked} operations could not be asked within {outage.outage_ms:.0f} ms"
    return (
        f"an outage of {outage.outage_ms:.0f} ms, but this machine was starved for {outage.starved_ms:.0f} ms of it "
        "before it asked for the good answer"
    )


def _offender(client: str, outage: Outage, budget_ms: float, uids: tuple[str, ...]) -> Offender:
    edge = {
        (True, False): " or more: it began before we looked",
        (False, True): " or more: it had not ended",
    }.get((outage.begin_ns is None, outage.end_ns is None), "")
    if outage.begin_ns is None and outage.end_ns is None:
        edge = " or more: there was never a good answer"
    plural = "operation" if outage.failed == 1 else "operations"
    return Offender(
        client,
        f"no outage above {budget_ms:.0f} ms",
        f"{outage.failed} {plural} without a good answer, an outage of {outage.outage_ms:.0f} ms{edge}",
        uids,
    )
