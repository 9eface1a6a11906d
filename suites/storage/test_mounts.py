"""Harbor's volumes in its running containers. What the specification says is one thing; a container that started
without its volume writes into itself, and nothing looks broken until it is gone.
"""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.mounts import mounts_of
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

    Source: the running container's own table of mounts; what is not a mount of its own is the container's.
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
                claim for c in workload.template.spec.containers for claim, _ in _mounted(workload, c.name)
            }
            for claim in sorted(unmounted):
                expected = f"a container mounts claim {claim}, which its pods name"
                workload_mounts.wrong("none does", expected=expected)
        for replica in replicas:
            with findings.about(replica.object, f"mounts {', '.join(claims)}, writable") as mounts:
                for claim, path, observed in _wrong_with(replica, harbor):
                    mounts.wrong(observed, expected=f"claim {claim} is mounted at {path}, writable")
    if not findings.examined:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")


def _wrong_with(replica, harbor):
    """(claim, path, what is seen instead) of each mount of the template that the replica does not have."""
    wanted = _mounted(replica.workload, replica.container.name)
    if not replica.running:
        for claim, path in wanted:
            yield claim, path, f"its container does not run: {replica.state}"
        return
    given = set(_mounts_in(replica.pod.spec, replica.container.name))
    present = mounts_of(harbor.run(replica, ["cat", "/proc/self/mounts"])) if wanted else {}
    root = present.get("/")
    for claim, path in wanted:
        if (claim, path) not in given:
            yield claim, path, "its pod's specification does not have this mount"
            continue
        mount = present.get(path) or present.get(_real_path(replica, path, harbor))
        if mount is None:
            yield claim, path, "no mount of its own there: what is written stays in the container"
        elif root and (mount.device, mount.file_system) == (root.device, root.file_system):
            yield claim, path, f"the container's own file system: {mount}"
        elif not mount.writable:
            yield claim, path, str(mount)


def _real_path(replica, path, harbor):
    """A path without symbolic links, as the table of mounts has it: /var/run/x is mostly /run/x."""
    script = 'readlink -f "$0" || echo "$0"'
    return harbor.run(replica, ["sh", "-c", script, path]).strip()


def _mounted(workload, container):
    return _mounts_in(workload.template.spec, container)


def _mounts_in(spec, name):
    """(claim, path) of each mount of a claim in the container of that name."""
    claims = {v.name: v.persistent_volume_claim.claim_name for v in _claiming(spec)}
    return [
        (claims[mount.name], mount.mount_path.rstrip("/"))
        for container in spec.containers
        if container.name == name
        for mount in container.volume_mounts or ()
        if mount.name in claims
    ]


def _claims_of(spec):
    return sorted({volume.persistent_volume_claim.claim_name for volume in _claiming(spec)})


def _claiming(spec):
    return [volume for volume in spec.volumes or () if volume.persistent_volume_claim]
