"""The part of a client's operations by which availability is judged: it begins at the injection."""

from harbor_verify.history import History, Operation


def since_injection(history: History, client: str) -> list[Operation]:
    """What this client asked that had not ended before the first injection; all, where nothing was injected.

    What went wrong in the warm-up is not the disruption's doing.
    """
    injected_ns = _first_injection_ns(history)
    return [op for op in history.of(client) if not _ended_before(injected_ns, op)]


def with_good_before(history: History, client: str) -> list[Operation]:
    """The same, and each ok that ended before the first injection: up to the last of these the client was well."""
    injected_ns = _first_injection_ns(history)
    return [op for op in history.of(client) if op.ok or not _ended_before(injected_ns, op)]


def _first_injection_ns(history: History) -> int:
    return min((disruption.inject.at_ns for disruption in history.disruptions()), default=0)


def _ended_before(at_ns: int, op: Operation) -> bool:
    return op.completed_ns is not None and op.completed_ns < at_ns
