"""What Harbor's claims are bound to."""

from kubernetes.utils.quantity import parse_quantity

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "storage.access-mode-shared",
    hint="Bind the claim to a PersistentVolume with ReadWriteMany, on a file system that many nodes can mount at once "
    "(CephFS, NFS). Access modes of a claim cannot be changed: copy the data, and make the claim anew.",
    source="Kubernetes: PersistentVolume accessModes",
    builds_on=("storage.claims-bound",),
)
def test_a_claim_of_several_replicas_can_be_shared(harbor: Target, findings: Findings, not_applicable):
    """Every claim of a workload with several replicas is bound ReadWriteMany.

    Source: with any other mode the replicas cannot run on different nodes, or cannot all write.
    """
    desired = {workload.name: workload.desired for workload in harbor.deployment.workloads.values()}
    volumes = harbor.deployment.volumes()
    if not volumes:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")
    shared = [v for v in volumes if any(desired[name] > 1 for name in v.used_by)]
    if not shared:
        not_applicable("no claim is used by a workload with several replicas")
    for volume in shared:
        users = ", ".join(f"{desired[name]} replicas of {name}" for name in volume.used_by)
        with findings.about(volume.object, f"access mode ReadWriteMany for {users}") as claim:
            modes = (volume.claim.status.access_modes if volume.claim else None) or []
            if "ReadWriteMany" not in modes:
                claim.wrong(", ".join(modes) or f"none: phase {volume.phase}")


@check(
    "storage.capacity-honoured",
    hint="Make a PersistentVolume at least as large as the claim asks for, and bind the claim to it.",
    source="Kubernetes: PersistentVolumeClaim spec.resources.requests, status.capacity",
    builds_on=("storage.claims-bound",),
)
def test_a_claim_gets_the_capacity_that_it_asks_for(harbor: Target, findings: Findings, not_applicable):
    """Every claim has at least the capacity that it asks for.

    Source: Kubernetes API, PersistentVolumeClaim status.capacity.
    """
    volumes = harbor.deployment.volumes()
    if not volumes:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")
    for volume in volumes:
        asked = (volume.claim.spec.resources.requests or {}).get("storage", "0") if volume.claim else "0"
        given = (volume.claim.status.capacity or {}).get("storage", "0") if volume.claim else "0"
        with findings.about(volume.object, f"a capacity of {asked}") as capacity:
            if volume.phase != "Bound" or parse_quantity(given) < parse_quantity(asked):
                capacity.wrong(f"{given}, phase {volume.phase}")


@check(
    "storage.reclaim-policy-retains",
    hint='kubectl patch pv NAME -p \'{{"spec":{{"persistentVolumeReclaimPolicy":"Retain"}}}}\': otherwise whoever '
    "deletes the claim deletes the images.",
    source="Kubernetes: PersistentVolume persistentVolumeReclaimPolicy",
    needs=("volumes",),
    severity=SHOULD,
    builds_on=("storage.claims-bound",),
)
def test_a_volume_outlives_its_claim(harbor: Target, findings: Findings, not_applicable):
    """Every PersistentVolume of Harbor is retained when its claim is deleted.

    Source: Kubernetes API, PersistentVolume persistentVolumeReclaimPolicy.
    """
    volumes = harbor.deployment.volumes()
    if not volumes:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")
    for volume in volumes:
        name = f"PersistentVolume {volume.volume.metadata.name}" if volume.volume else volume.object
        with findings.about(name, "reclaim policy Retain") as reclaim:
            policy = volume.volume.spec.persistent_volume_reclaim_policy if volume.volume else None
            if policy != "Retain":
                reclaim.wrong(policy or f"no volume: phase {volume.phase}")
