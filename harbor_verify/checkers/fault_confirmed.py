"""Proof that the fault happened: what did not break has not been survived."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History


def fault_confirmed(history: History) -> Judgement:
    """Every disruption in the history was proven, and, where it took a pod (`value["uid"]` of its inject), the
    events of the workload (`value["workload"]`) show that pod gone. That another one comes is no proof, but recovery.

    Never false: a fault that did not happen says nothing about Harbor. Unknown: no disruption, one that was not
    proven, one whose pod was not seen to go.
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
        evidence[disruption.name] = {"old_uid": uid, "new_uids": made}
    if not history.disruptions():
        unknowns.append("nothing was disrupted")
    return Judgement("fault-confirmed", unknowns=tuple(unknowns), evidence=evidence)
