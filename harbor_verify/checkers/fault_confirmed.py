"""Proof that the fault happened: what did not break has not been survived."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History


def fault_confirmed(history: History) -> Judgement:
    """Every disruption in the history was proven, and, where it took a pod (`value["uid"]` of its inject), the
    events of the workload (`value["workload"]`) show that pod gone and another one made since.

    A pod that was deleted without grace (`value["grace_period_s"]` 0) must also have been seen to stop answering:
    the API forgets such a pod at once, seconds before the kubelet has ended it.

    Never false: a fault that did not happen says nothing about Harbor. Unknown: no disruption, one that was not
    proven, one whose pod was not seen to go or to be replaced.
    """
    unknowns: list[str] = []
    evidence = {}
    for disruption in history.disruptions():
        inject = disruption.inject
        if disruption.proven is None:
            unknowns.append(f"{disruption.name} was injected but not proven")
        uid = inject.value.get("uid")
        if uid is None:
            continue
        since = [
            e for e in history.events if e.at_ns >= inject.at_ns and e.subject == inject.value["workload"]
        ]
        gone = [e for e in since if e.name == "pod-deleted" and e.value["uid"] == uid]
        made = [e.value["uid"] for e in since if e.name == "pod-created" and e.value["uid"] != uid]
        if not gone:
            unknowns.append(
                f"{disruption.name}: pod {inject.value.get('pod')} (UID {uid}) was not seen to go"
            )
        if not made:
            unknowns.append(f"{disruption.name}: no pod with a new UID was seen")
        if inject.value.get("grace_period_s") == 0 and not stopped_answering(
            history, inject.value["replica"], since_ns=inject.at_ns
        ):
            unknowns.append(f"{disruption.name}: nobody saw {inject.value['replica']} stop answering")
        evidence[disruption.name] = {"old_uid": uid, "new_uids": made}
    if not history.disruptions():
        unknowns.append("nothing was disrupted")
    return Judgement("fault-confirmed", unknowns=tuple(unknowns), evidence=evidence)


def stopped_answering(history: History, replica: str, *, since_ns: int) -> bool:
    """Whether an operation at this replica, begun at or after `since_ns`, had no good answer."""
    return any(
        op.replica == replica
        and op.invoked_ns >= since_ns
        and op.outcome is not None
        and op.asked
        and not op.ok
        for op in history.operations
    )
