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
_FULL_KIB = 1024
"""With less left hardly a layer can be taken."""


@check(
    "capacity.no-volume-full",
    hint="Nothing can be written: each push ends with 500, no job keeps its log, and a database stops. First make "
    "room: enlarge the volume (`kubectl edit pvc`, where the StorageClass has allowVolumeExpansion; CephFS: setfattr "
    "-n ceph.quota.max_bytes), or remove what is not Harbor's from it. Then delete images that nobody needs (retention "
    "rules), and collect garbage: it is only that which frees space.",
    source="POSIX: df; Kubernetes: volumeMounts; CephFS: quotas",
    needs=("exec",),
    builds_on=("storage.claims-bound", "storage.volume-mounted-in-every-replica"),
)
def test_no_volume_is_full(harbor: Target, findings: Findings, not_applicable):
    """No volume of Harbor's, nor of its database and Redis in its namespace, is full: 1 MiB is left, and an inode.

    Source: df in a container that mounts it, once a claim.
    """
    for place, pod, container, path in _claims(harbor):
        with findings.about(place, "something can be written to it") as volume:
            space = _space(harbor, pod, container, path)
            if space.left < _FULL_KIB:
                volume.wrong(f"{space.percent:.0f} % of its space is used, {space.left} KiB are left")
            inodes = _inodes(harbor, pod, container, path)
            if inodes and not inodes.left:
                volume.wrong(f"all of its {inodes.used} inodes are used")
    if not findings.examined:
        not_applicable(_NO_CLAIM)


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
    builds_on=("capacity.no-volume-full", "storage.claims-bound", "storage.volume-mounted-in-every-replica"),
)
def test_volumes_have_space_and_inodes_left(
    harbor: Target, findings: Findings, settings: Settings, measured_before, not_applicable, measured, listed
):
    """Every volume of Harbor's, and of its database and Redis in its namespace, has space and inodes left.

    Source: df in a container that mounts it, once a claim, and what earlier runs measured. How full is too full, and
    how long it is to last, are settings.
    """
    seen: set[str] = set()
    for place, pod, container, path in _claims(harbor):
        claim = place.rpartition("/")[2]
        seen.add(claim)
        with findings.about(place, f"less than {settings.full_percent} % is used") as volume:
            space = _space(harbor, pod, container, path)
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
        not_applicable(_NO_CLAIM)


_NO_CLAIM = "neither Harbor's pods nor stores of its namespace use a PersistentVolumeClaim"


def _claims(harbor):
    """(name, pod, container, path) of each claim, where one of its pods has it."""
    seen = set()
    for pod in _pods(harbor):
        for container, claim, path in _mounts(pod.spec):
            place = f"PersistentVolumeClaim {pod.metadata.namespace}/{claim}"
            if place not in seen:
                seen.add(place)
                yield place, pod, container, path


def _space(harbor, pod, container, path):
    """Raises CannotTell."""
    space = usage_of(_df(harbor, pod, container, "-Pk", path))
    if space is None:
        raise CannotTell(f"df says nothing of {path} in pod {pod.metadata.name}")
    return space


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
