"""Operations that met the end of a connection that was kept: no deployment can prevent them, and clients try again.

A program that ends in good order closes what lies idle; what is just being sent by it then has no answer. Who keeps a
connection goes on using it after no Service leads to its pod any more, so this is met by who sends at the very moment
of the end, and by nobody else. (RFC 9112, 9.3.1: what changes nothing may be sent again at once; a push may not.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harbor_verify.checkers.pushes import PUSH
from harbor_verify.history import History, Operation

_BAD_GATEWAY = 502
_CLOSED = {"BrokenPipeError", "ConnectionResetError", "RemoteDisconnected"}
LED_THERE_NS = 10**9
"""So long after its endpoint is gone nobody is led to a pod any more: who still asks it has a connection."""
_TOLD_LATE_NS = 3 * 10**9
"""That the program has ended, the API is told by the kubelet: so long after it at most."""


@dataclass(frozen=True)
class Kept:
    """Connections that are kept to the pods of a workload, which has its events in the history
    (harbor_verify/history/replicas.py).
    """

    workload: str
    """By the name of its events' subject."""
    meets: Callable[[Operation], bool]
    """Whether an operation ended as one does that meets the end of such a connection."""
    flaw: str
    """What is to be told of such operations."""


def by_who_passes_on(workload: str) -> Kept:
    """By whoever takes pushes, and passes them on to `workload`."""
    return Kept(
        workload,
        lambda op: op.kind == PUSH and op.status == _BAD_GATEWAY,
        f"a push was answered 502 as a pod of {workload} ended in good order: it was passed on over a connection that "
        "was kept to it and just being closed, and not sent again; docker's own client pushes again",
    )


def by_clients(workload: str, place: str) -> Kept:
    """By clients themselves, at the place that `workload` serves."""
    return Kept(
        workload,
        lambda op: op.replica == place and op.value.get("cause") in _CLOSED,
        f"an operation had no answer as a pod of {workload} ended in good order: its client had kept the connection, "
        "which was just being closed; other clients send it again",
    )


def met(history: History, kept: Kept) -> list[Operation]:
    """The operations that met the end of such a connection: one at most for each pod that was deleted."""
    failed = [op for op in history.operations if not op.ok and kept.meets(op)]
    found: list[Operation] = []
    for removed_ns, ended_ns in _ends(history, kept.workload):
        for op in failed:
            since_ns, until_ns = op.invoked_ns, op.completed_ns or history.end_ns
            is_led_there = since_ns < removed_ns + LED_THERE_NS
            if is_led_there or since_ns > ended_ns or until_ns < ended_ns - _TOLD_LATE_NS or op in found:
                continue
            found.append(op)
            break
    return found


def _ends(history: History, workload: str) -> Iterator[tuple[int, int]]:
    """Of each pod that was deleted: when the last Service forgot it, and when it was known to have ended."""
    deleting: set[str] = set()
    removed_ns: dict[str, int] = {}
    for event in history.events:
        if event.subject != workload:
            continue
        uid = event.value.get("uid", "")
        if event.name == "pod-deleting":
            deleting.add(uid)
        elif event.name == "endpoint-removed":
            removed_ns[uid] = event.at_ns
        elif event.name in {"pod-not-ready", "pod-deleted"} and uid in deleting and uid in removed_ns:
            deleting.remove(uid)
            yield removed_ns[uid], event.at_ns
