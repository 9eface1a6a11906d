"""Pushes that met the end of a connection which Harbor itself keeps: every Harbor has that, however it is deployed.

Whoever passes pushes on to the registry keeps connections to it, and goes on using them after no Service leads to a pod
any more. A program that ends in good order closes what lies idle; what is just being sent by it then is answered 502,
and not sent again: a push is in part done already. (A request that changes nothing is.)
"""

from collections.abc import Iterator

from harbor_verify.checkers.pushes import PUSH
from harbor_verify.history import History, Operation

_BAD_GATEWAY = 502
_LED_THERE_NS = 10**9
"""So long after its endpoint is gone nobody is led to a pod any more: who still asks it has a connection."""
_TOLD_LATE_NS = 3 * 10**9
"""That the program has ended, the API is told by the kubelet: so long after it at most."""


def met_by_pushes(history: History, *, keepers: str) -> list[Operation]:
    """The pushes that failed so: one at most for each pod of the workload `keepers` that was deleted.

    Its events have to be in the history (harbor_verify/history/replicas.py).
    """
    failed = [op for op in history.operations if op.kind == PUSH and op.status == _BAD_GATEWAY]
    met: list[Operation] = []
    for removed_ns, ended_ns in _ends(history, keepers):
        for op in failed:
            since_ns, until_ns = op.invoked_ns, op.completed_ns or history.end_ns
            is_led_there = since_ns < removed_ns + _LED_THERE_NS
            if is_led_there or since_ns > ended_ns or until_ns < ended_ns - _TOLD_LATE_NS or op in met:
                continue
            met.append(op)
            break
    return met


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
