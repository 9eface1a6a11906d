"""What was verified, as `Run.environment` has it, and as two runs are compared by it.

harbor        "v2.12.4": what Harbor calls itself
kubernetes    "v1.30.4": what the API server calls itself
stores        {"database": "MariaDB 10.11.6 (Galera, 3 nodes) at mysql:3306", …}: what stands outside Kubernetes
workloads     [{"role": "web", "kind": "ReplicationController", "name": "web-rc", "desired": 3, "ready": 3,
              "nodes": ["node-1", …], "images": ["docker.io/…/harbor-web:v9.1.0", …]}]
nodes         [{"name": "node-1", "ready": true, "kubelet": "v1.30.4", "os": "Debian …", "runtime": "containerd://…"}]
volumes       [{"claim": "registry-pvc", "phase": "Bound", "volume": "registry-pv", "size": "5Gi",
              "access_modes": ["ReadWriteMany"], "used_by": ["registry-rc"]}]
facts         {"exposure": "ingress, harbor.example.com (Ingress harbor/harbor)", …}: what the deployment is
suite         {"disruption": true, "outage_budget_ms": 5000, …}: settings that verdicts hang on

No key has to be there: an account may not be allowed to read all of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Facts = dict[str, str]
"""What a thing is, by its name: `image of web-rc` → `…/harbor-web:v9.1.0`."""


def whole(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The same with every key, empty where it is not told."""
    return {
        **{name: str(environment.get(name) or "") for name in ("harbor", "kubernetes")},
        **{name: _mapping(environment, name) for name in ("stores", "facts", "suite")},
        **{name: _list(environment, name) for name in ("workloads", "nodes", "volumes")},
    }


def facts(environment: Mapping[str, Any]) -> Facts:
    """Everything that can drift between two runs, flat, in the order of reading."""
    text_by_label: Facts = {}
    for name, label in (("harbor", "Harbor's version"), ("kubernetes", "Kubernetes' version")):
        if name in environment:
            text_by_label[label] = str(environment[name])
    for name, what in _mapping(environment, "stores").items():
        text_by_label[name] = str(what)
    for each in _list(environment, "workloads"):
        name = each.get("name", "?")
        text_by_label[f"images of {name}"] = _joined(each.get("images"))
        text_by_label[f"replicas of {name}"] = replicas(each)
    for each in _list(environment, "nodes"):
        state = "Ready" if each.get("ready", True) else "not Ready"
        versions = [str(each[key]) for key in ("kubelet", "runtime", "os") if each.get(key)]
        text_by_label[f"node {each.get('name', '?')}"] = ", ".join([state, *versions])
    for each in _list(environment, "volumes"):
        words = [each.get("phase"), each.get("volume"), each.get("size"), _joined(each.get("access_modes"))]
        text_by_label[f"volume {each.get('claim', '?')}"] = ", ".join(str(word) for word in words if word)
    for name, value in _mapping(environment, "facts").items():
        text_by_label[f"fact {name.replace('_', ' ')}"] = str(value)
    for name, value in _mapping(environment, "suite").items():
        text_by_label[f"setting {name}"] = str(value)
    return {name: value for name, value in text_by_label.items() if value}


def replicas(workload: Mapping[str, Any]) -> str:
    """`3 of 3 Ready`; empty when it is not told."""
    if "desired" not in workload:
        return ""
    return f"{workload.get('ready', '?')} of {workload['desired']} Ready"


def _list(environment: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [each for each in environment.get(key) or () if isinstance(each, Mapping)]


def _mapping(environment: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = environment.get(key)
    return part if isinstance(part, Mapping) else {}


def _joined(words: Iterable[Any] | None) -> str:
    return ", ".join(str(word) for word in words or ())
