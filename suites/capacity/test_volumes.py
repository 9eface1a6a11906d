"""How full the volumes are that Harbor, and stores of its namespace, keep things on."""

from datetime import UTC, datetime

from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.pod_channel import CommandInPodFailed, PodGone, run_in_pod
from harbor_verify.errors import CannotTell, NeedMissing, WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.model.disk import days_left, usage_of
from harbor_verify.model.workloads import is_ready
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

_KIB = 1024


@check(
    "capacity.volumes-have-room",
    hint="Full, pushes end with 500, and a database stops. Images: delete what nobody needs (retention rules), then "
    "collect garbage: it is only that which frees space, for layers that are two hours old; or enlarge the volume "
    "(`kubectl edit pvc`, where the StorageClass has allowVolumeExpansion; CephFS: setfattr -n ceph.quota.max_bytes). "
    "No inodes: many small files; a job's logs are such. A database: VACUUM, and what keeps its log (pg_wal): a "
    "replication slot that nobody reads. How full is too full, and for how many days it is to last, are settings: "
    "--full-percent, --full-in-days.",
    source="POSIX: df; Kubernetes: volumeMounts; CephFS: quotas",
    needs=("exec",),
    severity=SHOULD,
    builds_on=("storage.claims-bound", "storage.volume-mounted-in-every-replica"),
)
def test_volumes_have_space_and_inodes_left(
    harbor: Target, findings: Findings, settings: Settings, measured_before, not_applicable, measured, listed
):
    """Every volume of Harbor's, and of its database and Redis in its namespace, has space and inodes left.

    Source: df in a container that mounts it, once a claim, and what earlier runs measured. How full is too full, and
    how long it is to last, are settings.
    """
    seen: set[str] = set()
    for pod in _pods(harbor):
        for container, claim, path in _mounts(pod.spec):
            if claim in seen:
                continue
            seen.add(claim)
            place = f"PersistentVolumeClaim {pod.metadata.namespace}/{claim}"
            with findings.about(place, f"less than {settings.full_percent} % is used") as volume:
                space = usage_of(_df(harbor, pod, container, "-Pk", path))
                if space is None:
                    raise CannotTell(f"df says nothing of {path} in pod {pod.metadata.name}")
                measured[f"{claim}_used_bytes"] = space.used * _KIB
                measured[f"{claim}_used_percent"] = round(space.percent, 1)
                row = {"what": claim, "used_bytes": space.used * _KIB, "left_bytes": space.left * _KIB}
                row["full_percent"] = settings.full_percent
                listed["volumes"].append(row)
                if space.percent >= settings.full_percent:
                    volume.wrong(f"{space.percent:.0f} % of its space is used, {_mib(space.left)} are left")
                inodes = _inodes(harbor, pod, container, path)
                row["inodes_percent"] = round(inodes.percent, 1) if inodes else None
                if inodes and inodes.percent >= settings.full_percent:
                    volume.wrong(f"{inodes.percent:.0f} % of its inodes are used, {inodes.left} are left")
                lasts = _lasts(f"{claim}_used_bytes", measured_before, space)
                if lasts is not None:
                    measured[f"{claim}_lasts_days"] = row["lasts_days"] = round(lasts, 1)
                    if lasts < settings.full_in_days:
                        volume.wrong(
                            f"at the rate of earlier runs it is full in {lasts:.0f} days",
                            expected=f"it lasts for {settings.full_in_days} days",
                        )
    for volume in harbor.deployment.volumes():
        # One that is not Bound has no room that could be used up.
        if volume.phase == "Bound" and volume.claim_name not in seen:
            with findings.about(volume.object, "a Ready pod mounts it, and can be asked"):
                raise CannotTell("no Ready pod mounts it, so nobody could be asked how full it is")
    if not findings.examined:
        not_applicable("neither Harbor's pods nor stores of its namespace use a PersistentVolumeClaim")


def _pods(harbor):
    """Those of Harbor's parts, and those behind the hosts of its database and of its Redis, in its namespace."""
    found = [
        replica.pod for role in harbor.deployment.workloads for replica in harbor.deployment.replicas(role)
    ]
    for host in _hosts(harbor):
        try:
            backing = harbor.backing(host)
        except (CannotTell, NeedMissing):
            continue  # how it is backed is for other checks to say
        if backing.owners and backing.owners[0].namespace == harbor.namespace:
            found += [harbor.deployment.pod(name) for name in backing.pods]
    return [pod for pod in found if is_ready(pod)]


def _hosts(harbor):
    hosts = []
    for store in (harbor.database, harbor.session_store):
        try:
            hosts += [told.host] if (told := store()) else []
        except (WrongConfiguration, Failure):
            continue
    return hosts


def _mounts(spec):
    """(container, claim, path) of each mount of a claim."""
    claims = {
        v.name: v.persistent_volume_claim.claim_name for v in spec.volumes or () if v.persistent_volume_claim
    }
    return [
        (container.name, claims[mount.name], mount.mount_path)
        for container in spec.containers
        for mount in container.volume_mounts or ()
        if mount.name in claims
    ]


def _df(harbor, pod, container, form, path):
    try:
        where = (pod.metadata.namespace, pod.metadata.name, container)
        return run_in_pod(harbor.kubernetes, *where, ["df", form, path])
    except (CommandInPodFailed, PodGone) as failed:
        raise CannotTell(str(failed)) from failed


def _inodes(harbor, pod, container, path):
    """None where it has no number of them, or a `df` that cannot say it."""
    try:
        return usage_of(_df(harbor, pod, container, "-Pi", path))
    except CannotTell:
        return None


def _lasts(name, measured_before, space):
    looks = [(at, told[name]) for at, told in measured_before() if isinstance(told.get(name), int | float)]
    return days_left([*looks, (datetime.now(UTC), space.used * _KIB)], space.left * _KIB)


def _mib(kib):
    return f"{kib / _KIB:.0f} MiB"
