"""What was pushed outlives the pod that took it."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, CannotTell, DeadlinePassed, HealFailed
from harbor_verify.failover import pod_kill, require_whole
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge

TAG = "survivor"


@check(
    "storage.image-survives-registry-pod-deletion",
    hint="Gone everywhere: the registry writes into its own container, see configuration.registry-root-inside-volume. "
    "Gone on some replicas: they do not write to the same folder; compare the registry's volumeMounts (subPath, "
    "subPathExpr) and storage.filesystem.rootdirectory. Not replaced: `kubectl describe pod` of the new pod.",
    source="Harbor: images are in the registry's storage, not in its pods; Kubernetes: pods are replaced, not mended",
    needs=("disruption",),
)
def test_an_image_outlives_the_registry_pod_that_took_it(
    harbor, project, new_image, recorder, settings, tell
):
    """An image that one registry replica took is pulled unchanged from every replica after that pod is deleted.

    Source: pushed to the replica that is to die, and to no other; pulled by digest, from its successor as well.
    """
    require_whole(harbor, Role.REGISTRY)
    workload, victim = harbor.workload(Role.REGISTRY), harbor.replicas(Role.REGISTRY)[0]
    image, repository = new_image(), f"{project}/{TAG}"
    try:
        digest = harbor.registry(victim).push(image, repository, TAG)
    except AnswerError as refusal:
        judge([Offender(victim.object, f"takes a push to {repository}", str(refusal))], examined=1)
        return
    offenders = _delete(harbor, workload, recorder, settings, tell)
    replicas = harbor.deployment.replicas(Role.REGISTRY)
    for replica in replicas:
        expected = f"{repository}@{digest}, which {victim.name} took before its pod was deleted"
        try:
            pulled = harbor.registry(replica).pull(repository, digest)
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, expected, str(refusal)))
            continue
        if pulled != image:
            offenders.append(Offender(replica.object, expected, f"other bytes, of digest {pulled.digest}"))
    judge(offenders, examined=len(replicas))


def _delete(harbor, workload, recorder, settings, tell):
    """Delete the oldest pod and wait for its successor; an offender when there is none in time."""
    kill = pod_kill(harbor, workload, recorder, settings)
    try:
        with kill:
            tell(f"deleting {workload.short_name}-0, which took an image")
            kill.prove()
            tell("the pod is gone; waiting until its successor is Ready")
    except CannotTell as broken:
        # Its pods are Ready, as was seen before: a Service that does not lead to each of them.
        judge([Offender(workload.object, "whole before one of its pods is deleted", str(broken))], examined=1)
    except DeadlinePassed as trouble:
        # As long as the pod itself is still there, nothing was broken, and nothing is shown.
        if not kill.victim_is_gone:
            raise
        return [Offender(workload.object, "a deleted pod is replaced, and its successor Ready", str(trouble))]
    except HealFailed as trouble:
        return [Offender(workload.object, "a deleted pod is replaced, and its successor Ready", str(trouble))]
    return []
