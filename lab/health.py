"""What of the lab is there and well, part by part."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lab import defects, layouts, profiles
from lab.errors import LabError
from lab.kubernetes import nodes
from lab.kubernetes.control_plane import kubectl
from lab.machines import docker_daemon, topology
from lab.profiles import Profile
from lab.stores import ceph, galera, load_balancer, postgresql, redis_sentinel


@dataclass(frozen=True)
class Part:
    """One part of the lab: whether it is well, and what was seen."""

    name: str
    well: bool
    observed: str


_DATABASES = {"Galera": galera.healthy, "PostgreSQL": postgresql.healthy}


def parts() -> list[Part]:
    """Every part of the lab, of the profiles that are deployed (none: the default); one that cannot be asked is not
    well."""
    deployed = profiles.deployed() or profiles.chosen()
    probes: dict[str, Callable[[], str]] = {
        "machines": _machines,
        "Ceph": ceph.healthy,
        **{profile.database: _DATABASES[profile.database] for profile in deployed},
        "Redis and Sentinel": redis_sentinel.healthy,
        "HAProxy": load_balancer.healthy,
        "docker daemon": docker_daemon.healthy,
        "Kubernetes": _kubernetes,
        **{profile.name: partial(_harbor, profile) for profile in deployed},
        **{
            f"layout of {profile.name}": layout.healthy
            for profile in deployed
            if (layout := layouts.of(profile)).healthy
        },
        **{f"defects of {profile.name}": partial(_defects, profile) for profile in deployed},
    }
    return [_part(name, probe) for name, probe in probes.items()]


def _part(name: str, probe: Callable[[], str]) -> Part:
    try:
        return Part(name, True, probe())
    except (LabError, OSError) as error:
        return Part(name, False, str(error).splitlines()[0])


def _machines() -> str:
    absent = [machine.name for machine in topology.ALL if machine.holder() is None]
    if absent:
        raise LabError(f"not running: {', '.join(absent)}")
    return f"{len(topology.ALL)} are running"


def _kubernetes() -> str:
    listing = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    ready = {
        node["metadata"]["name"]
        for node in listing
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }
    if ready != set(nodes.ALL):
        raise LabError(f"nodes Ready: {', '.join(sorted(ready)) or 'none'} of {', '.join(nodes.ALL)}")
    return f"{len(ready)} nodes are Ready"


def _harbor(profile: Profile) -> str:
    kinds = "replicationcontrollers,deployments,statefulsets"
    listing = kubectl("get", kinds, f"--namespace={profile.namespace}", "--output=json")
    counts = {
        each["metadata"]["name"]: (each["status"].get("readyReplicas", 0), each["spec"]["replicas"])
        for each in json.loads(listing)["items"]
    }
    text = ", ".join(f"{name} {ready}/{wanted}" for name, (ready, wanted) in sorted(counts.items()))
    if not counts or any(ready < wanted for ready, wanted in counts.values()):
        raise LabError(f"Ready: {text or 'nothing is deployed'}")
    return f"Ready: {text}"


def _defects(profile: Profile) -> str:
    present = defects.planted(profile)
    if present:
        raise LabError(f"{present} is planted; `python -m lab heal --profile {profile.name}` takes it away")
    return "none is planted"
