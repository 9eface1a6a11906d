"""What of the lab is there and well, part by part."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from lab import (
    cluster,
    database,
    defects,
    docker_daemon,
    load_balancer,
    nodes,
    session_store,
    storage,
    topology,
)
from lab.control_plane import kubectl
from lab.errors import LabError


@dataclass(frozen=True)
class Part:
    """One part of the lab: whether it is well, and what was seen."""

    name: str
    well: bool
    observed: str


def parts() -> list[Part]:
    """Every part of the lab; one that cannot be asked is not well."""
    probes: dict[str, Callable[[], str]] = {
        "machines": _machines,
        "Ceph": storage.healthy,
        "Galera": database.healthy,
        "Redis and Sentinel": session_store.healthy,
        "HAProxy": load_balancer.healthy,
        "docker daemon": docker_daemon.healthy,
        "Kubernetes": _kubernetes,
        "Harbor": _harbor,
        "defects": _defects,
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


def _harbor() -> str:
    listing = kubectl(
        "get", "replicationcontrollers", f"--namespace={cluster.target().namespace}", "--output=json"
    )
    controllers = json.loads(listing)["items"]
    counts = {
        each["metadata"]["name"]: (each["status"].get("readyReplicas", 0), each["spec"]["replicas"])
        for each in controllers
    }
    text = ", ".join(f"{name} {ready}/{wanted}" for name, (ready, wanted) in sorted(counts.items()))
    if not counts or any(ready < wanted for ready, wanted in counts.values()):
        raise LabError(f"Ready: {text or 'nothing is deployed'}")
    return f"Ready: {text}"


def _defects() -> str:
    present = defects.planted(cluster.HARBOR.deployment_folder)
    if present:
        raise LabError(f"{present} is planted; `python -m lab heal` takes it away")
    return "none is planted"
