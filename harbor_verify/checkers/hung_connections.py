"""Operations that waited on a connection that was kept to a pod that hangs: no Service leads there any more.

Kubernetes takes a pod that is not Ready from its Services, and not the connections that lead to it. Who passes on what
clients ask keeps some to the registry, and waits on them without a time-out: each holds up one more request, until its
client gives up, or the pod answers again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harbor_verify.checkers.ended_connections import LED_THERE_NS
from harbor_verify.history import History, Operation
from harbor_verify.history.replicas import Replicas

_HELD_UP_NS = 2 * 10**9
"""So long no answer takes while nothing is broken; who waits longer is held up."""
_EACH_KEEPS = 2
"""Connections to one host that Go's client keeps, unless it is told otherwise."""


@dataclass(frozen=True)
class KeptToHung:
    """Connections that are kept to the pods of a workload, which has its events in the history
    (harbor_verify/history/replicas.py), by so many who pass on what clients ask.
    """

    workload: str
    """By the name of its events' subject."""
    keepers_count: int

    @property
    def flaw(self) -> str:
        return (
            f"after no Service led to a pod of {self.workload} that hung any more, an operation still waited for it: "
            "it was passed on over a connection that was kept to it, without a time-out; a livenessProbe that restarts "
            "what hangs ends such connections"
        )


def held_up(history: History, kept: KeptToHung) -> list[Operation]:
    """What began after no Service led to a pod that hung, but to another, and was held up all the same: none, where it
    is more than there can be such connections, as then something else leads there.
    """
    without = list(_without_endpoint(history, kept.workload))
    found = [
        op
        for op in history.operations
        if (op.completed_ns or history.end_ns) - op.invoked_ns > _HELD_UP_NS
        and any(
            removed_ns + LED_THERE_NS <= op.invoked_ns < back_ns and op.replica != replica
            for replica, removed_ns, back_ns in without
        )
    ]
    return found if len(found) <= _EACH_KEEPS * kept.keepers_count else []


def _without_endpoint(history: History, workload: str) -> Iterator[tuple[str, int, int]]:
    """(replica, from, until) of each pod of the workload to which no Service led any more, which was not being deleted,
    and beside which each Service always led to another.
    """
    seen = Replicas()
    without: dict[str, tuple[str, int]] = {}
    for event in history.events:
        if event.subject != workload:
            continue
        seen.apply(event)
        led_to = set[str]().union(*seen.endpoints.values())
        for uid in [uid for uid in without if uid in led_to or uid not in seen.pods]:
            yield *without.pop(uid), event.at_ns
        if event.name == "endpoint-removed":
            pod = seen.pods.get(event.value["uid"])
            if pod and not pod.deleting and pod.uid not in led_to:
                without[pod.uid] = pod.replica, event.at_ns
        if not all(seen.endpoints.values()):
            without.clear()  # whom nobody could take the place of
    for replica, at_ns in without.values():
        yield replica, at_ns, history.end_ns
