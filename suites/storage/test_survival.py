"""What was pushed outlives the pod that took it."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.pod_deletion import delete_pod, pod_kill, require_whole
from harbor_verify.settings import Settings
from harbor_verify.target import Target

TAG = "survivor"


@check(
    "storage.image-survives-registry-pod-deletion",
    hint="Gone everywhere: the registry writes into its own container, see configuration.registry-root-inside-volume. "
    "Gone on some replicas: they do not write to the same folder; compare the registry's volumeMounts (subPath, "
    "subPathExpr) and storage.filesystem.rootdirectory. Not replaced: `kubectl describe pod` of the new pod.",
    source="Harbor: images are in the registry's storage, not in its pods; Kubernetes: pods are replaced, not mended",
    needs=("disruption",),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-root-inside-volume",
        "configuration.registry-trusts-token-key",
        "storage.claims-bound",
    ),
)
def test_an_image_outlives_the_registry_pod_that_took_it(
    harbor: Target, findings: Findings, project, new_image, recorder: Recorder, settings: Settings, tell
):
    """An image that one registry replica took is pulled unchanged from every replica after that pod is deleted.

    Source: pushed to the replica that is to die, and to no other; pulled by digest, from its successor as well.
    """
    require_whole(harbor, Role.REGISTRY)
    workload, victim = harbor.workload(Role.REGISTRY), harbor.replicas(Role.REGISTRY)[0]
    image, repository = new_image(), f"{project}/{TAG}"
    digest = None
    with findings.about(victim.object, f"takes a push to {repository}"):
        digest = harbor.registry(victim).push(image, repository, TAG)
    if digest is None:
        return
    kill = pod_kill(harbor, workload, recorder, settings)
    if not_replaced := delete_pod(kill, workload, tell, "which took an image"):
        findings.offenders.append(not_replaced)
    replicas = harbor.deployment.replicas(Role.REGISTRY)
    if not replicas:
        findings.unknown(workload.object, "no replica is left that could be asked for the image")
    for replica in replicas:
        expected = f"{repository}@{digest}, which {victim.name} took before its pod was deleted"
        with findings.about(replica.object, expected) as survivor:
            pulled = harbor.registry(replica).pull(repository, digest)
            if pulled != image:
                survivor.wrong(f"other bytes, of digest {pulled.digest}")
