"""Harbor's volumes in its running containers. What the specification says is one thing; a container that started
without its volume writes into itself, and nothing looks broken until it is gone.
"""

from dataclasses import dataclass

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.mounts import mounts_of
from harbor_verify.model.workloads import image_name
from harbor_verify.target import Target


@check(
    "storage.volume-mounted-in-every-replica",
    hint="A pod that is not running: `kubectl describe pod` says what its volume lacks. A pod that differs from its "
    "controller, or a path that is no mount: delete the pod, a ReplicationController changes none that exists. A "
    "read-only mount: `readOnly` of the volumeMount or of the claim, or the file system was mounted ro on that node.",
    source="Kubernetes: volumeMounts; Linux: /proc/self/mounts",
    needs=("exec",),
    builds_on=("storage.claims-bound",),
)
def test_a_claim_is_mounted_and_writable_in_every_replica(harbor: Target, findings: Findings, not_applicable):
    """In every replica of a workload with claims, each claim is mounted where the template says, writable.

    Source: the table of mounts of each running container that the template gives a claim: garbage collection deletes
    images by another than the registry's own. What is not a mount of its own is the container's.
    """
    for role, workload in harbor.deployment.workloads.items():
        claims = _claims_of(workload.template.spec)
        if not claims:
            continue
        replicas = harbor.deployment.replicas(role)
        with findings.about(workload.object, f"replicas that mount {', '.join(claims)}") as workload_mounts:
            if not replicas:
                workload_mounts.wrong("no pod")
            unmounted = set(claims) - {
                mount.claim
                for container in workload.template.spec.containers
                for mount in _mounts_in(workload.template.spec, container.name)
            }
            for claim in sorted(unmounted):
                expected = f"a container mounts claim {claim}, which its pods name"
                workload_mounts.wrong("none does", expected=expected)
        for replica in replicas:
            for container in workload.template.spec.containers:
                if wanted := _mounts_in(workload.template.spec, container.name):
                    _examine(findings, harbor, replica, container, wanted)
    if not findings.examined:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")


def _examine(findings, harbor, replica, container, wanted):
    """Of one container of a replica, the mounts that its template asks for."""
    is_own = container.name == replica.container.name
    where = "" if is_own else f" in container {container.name}"
    claims = ", ".join(dict.fromkeys(mount.claim for mount in wanted))
    with findings.about(replica.object, f"mounts {claims}{where}, writable") as mounts:
        for mount, observed in _wrong_with(harbor, replica, container, wanted, is_own=is_own):
            mounts.wrong(
                observed, expected=f"claim {mount.claim} is mounted at {mount.path}{where}, writable"
            )


def _wrong_with(harbor, replica, container, wanted, *, is_own):
    """Each of the template's mounts of a container that the replica does not have, and what is seen instead."""
    given = {(mount.claim, mount.path) for mount in _mounts_in(replica.pod.spec, container.name)}
    for mount in wanted:
        if (mount.claim, mount.path) not in given:
            yield mount, "its pod's specification does not have this mount"
    present = [mount for mount in wanted if (mount.claim, mount.path) in given]
    if not replica.runs(container.name):
        for mount in present:
            yield mount, f"its container does not run: {replica.state}"
        return
    table = (
        mounts_of(harbor.run(replica, ["cat", "/proc/self/mounts"], container=container.name))
        if present
        else {}
    )
    root = table.get("/")
    # What others run beside Harbor (to copy logs, to measure) may be meant to read alone; Harbor's own programs not.
    writes = is_own or "harbor" in image_name(container.image)
    for mount in present:
        seen = table.get(mount.path) or table.get(_real_path(harbor, replica, container, mount.path))
        if seen is None:
            yield mount, "no mount of its own there: what is written stays in the container"
        elif root and (seen.device, seen.file_system) == (root.device, root.file_system):
            yield mount, f"the container's own file system: {seen}"
        elif not seen.writable and (writes or not mount.read_only):
            yield mount, str(seen)


def _real_path(harbor, replica, container, path):
    """A path without symbolic links, as the table of mounts has it: /var/run/x is mostly /run/x."""
    script = 'readlink -f "$0" || echo "$0"'
    return harbor.run(replica, ["sh", "-c", script, path], container=container.name).strip()


@dataclass(frozen=True)
class _Wanted:
    """A mount of a claim, as a specification has it."""

    claim: str
    path: str
    read_only: bool


def _mounts_in(spec, name):
    """The mounts of claims in the container of that name."""
    claims = {v.name: v.persistent_volume_claim for v in _claiming(spec)}
    return [
        _Wanted(claim.claim_name, mount.mount_path.rstrip("/"), bool(mount.read_only or claim.read_only))
        for container in spec.containers
        if container.name == name
        for mount in container.volume_mounts or ()
        if (claim := claims.get(mount.name))
    ]


def _claims_of(spec):
    return sorted({volume.persistent_volume_claim.claim_name for volume in _claiming(spec)})


def _claiming(spec):
    return [volume for volume in spec.volumes or () if volume.persistent_volume_claim]
