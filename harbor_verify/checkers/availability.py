"""The part of a client's operations by which availability is judged: it begins at the injection."""

from harbor_verify.history import History, Operation


def since_injection(history: History, client: str) -> list[Operation]:
    """What this client asked that had not ended before the first injection; all, where nothing was injected.

    What went wrong in the warm-up is not the disruption's doing.
    """
    disruptions = history.disruptions()
    injected_ns = disruptions[0].inject.at_ns if disruptions else 0
    return [op for op in history.of(client) if op.completed_ns is None or op.completed_ns >= injected_ns]


def last_good_before(history: History, client: str) -> list[Operation]:
    """The last ok of this client that ended before the first injection, where there is one: it was well until then."""
    disruptions = history.disruptions()
    injected_ns = disruptions[0].inject.at_ns if disruptions else 0
    before = [op for op in history.of(client) if op.ok and (op.completed_ns or 0) < injected_ns]
    return sorted(before, key=lambda op: op.completed_ns or 0)[-1:]
