"""Deleting one pod of a workload, and waiting for its successor."""

from collections.abc import Callable, Sequence
from functools import partial

from harbor_verify.disruptions import changes
from harbor_verify.disruptions.pod_kill import PodKill
from harbor_verify.errors import CannotTell, DeadlinePassed, HealFailed
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica, Workload, may_get_ready
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender
from harbor_verify.waiting import once_converged


def require_whole(target: Target, role: Role) -> None:
    """Raises Failure when not all desired replicas of a role are Ready: nothing is broken that is not whole.

    Where as many as are needed are, it is looked again for `converge_timeout_s`: an autoscaler may have asked for more.
    """
    least, within_s = target.profile.parts[role].least, target.settings.converge_timeout_s
    workload, replicas = once_converged(
        f"all replicas of {role} are Ready",
        # What is asked for is read first: who asks for more in between is not held against it.
        lambda: (target.workload(role), target.replicas(role)),
        lambda seen: _is_whole(*seen) or not may_get_ready(seen[1], least, within_s),
        timeout_s=within_s,
    )
    if not _is_whole(workload, replicas):
        ready = [replica for replica in replicas if replica.ready]
        states = ", ".join(f"{replica.name} {replica.state}" for replica in replicas)
        expected = f"{workload.desired} Ready replicas before one is deleted"
        raise Failure([Offender(workload.object, expected, f"{len(ready)}: {states}")])


def _is_whole(workload: Workload, replicas: Sequence[Replica]) -> bool:
    return sum(replica.ready for replica in replicas) >= workload.desired


def pod_kill(
    target: Target,
    workload: Workload,
    recorder: Recorder,
    settings: Settings,
    *,
    ordinal: int = 0,
    grace_period_s: int | None = None,
) -> PodKill:
    """The deletion of one pod of a workload, with the grace that it asks for or this; a context manager."""
    return PodKill(
        target.kubernetes,
        recorder,
        target.ledger,
        namespace=target.namespace,
        selector=workload.label_selector,
        workload=workload.short_name,
        desired=workload.desired,
        asked=partial(changes.asked_for, target.kubernetes, workload),
        ordinal=ordinal,
        grace_period_s=grace_period_s,
        timeout_s=settings.converge_timeout_s,
    )


def delete_pod(
    kill: PodKill, workload: Workload, tell: Callable[[str], None], what_it_did: str
) -> Offender | None:
    """Delete the oldest pod of a workload and wait for its successor; returns what is wrong when that does not come.

    `what_it_did` goes into the line on the terminal: "which took an image". Raises Failure when not all was well
    before, DeadlinePassed when the pod itself did not go in time: then nothing was broken, and nothing is shown;
    CannotTell where nobody could see whether the successor came.
    """
    replaced = "a deleted pod is replaced, and its successor Ready"
    try:
        with kill:
            tell(f"deleting {workload.short_name}-0, {what_it_did}")
            kill.prove()
            tell("the pod is gone; waiting until its successor is Ready")
    except CannotTell as not_whole:
        # Its pods are Ready, as was seen before: a Service that does not lead to each of them.
        before = "every replica is Ready, and its Service leads to each, before a pod is deleted"
        raise Failure([Offender(workload.object, before, str(not_whole))]) from not_whole
    except HealFailed as unhealed:
        if not isinstance(unhealed.__cause__, DeadlinePassed):
            raise CannotTell(str(unhealed)) from unhealed
        return Offender(workload.object, replaced, str(unhealed))
    return None
