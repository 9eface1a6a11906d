"""The part of a client's operations by which availability is judged: it begins at the injection."""

from harbor_verify.history import History, Operation, Outage, outages_of
from harbor_verify.history.pulse import starved


def since_injection(history: History, client: str) -> list[Operation]:
    """What this client asked that had not ended before the first injection; all, where nothing was injected.

    What went wrong in the warm-up is not the disruption's doing.
    """
    injected_ns = _first_injection_ns(history)
    return [op for op in history.of(client) if not _ended_before(injected_ns, op)]


def outages(history: History, client: str) -> list[Outage]:
    """Those in the same, and in each ok that ended before the first injection: up to the last of these the client was
    well.
    """
    injected_ns = _first_injection_ns(history)
    return outages_of(
        [op for op in history.of(client) if op.ok or not _ended_before(injected_ns, op)],
        end_ns=history.end_ns,
        injected_ns=[disruption.inject.at_ns for disruption in history.disruptions()],
        starved_ms=lambda begin_ns, end_ns: starved(history, begin_ns, end_ns).ms,
    )


def _first_injection_ns(history: History) -> int:
    return min((disruption.inject.at_ns for disruption in history.disruptions()), default=0)


def _ended_before(at_ns: int, op: Operation) -> bool:
    return op.completed_ns is not None and op.completed_ns < at_ns
