"""Kubernetes objects as YAML has them: reading them from `deploy/`, and finding one's way in them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.settings import REPOSITORY

DEPLOY = REPOSITORY / "deploy" / "harbor-1.2"

Object = dict[str, Any]

NOT_NAMESPACED = frozenset({"Namespace", "PersistentVolume"})


def read(folder: Path = DEPLOY, *, namespace: str | None = None) -> list[Object]:
    """The objects of a kustomization, in its order, put into `namespace` (default: the one it names).

    Knows `namespace` and `resources`, all that `deploy/` needs; raises LabError at anything else, which
    it would otherwise leave out in silence.
    """
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - {"apiVersion", "kind", "namespace", "resources"}
    if unknown:
        raise LabError(
            f"{folder}/kustomization.yaml has {sorted(unknown)}, which the lab does not understand"
        )
    namespace = namespace or kustomization["namespace"]
    objects = [
        document
        for resource in kustomization["resources"]
        for document in yaml.safe_load_all((folder / resource).read_text())
    ]
    for found in objects:
        if found["kind"] == "Namespace":
            found["metadata"]["name"] = namespace
        elif found["kind"] not in NOT_NAMESPACED:
            found["metadata"]["namespace"] = namespace
    return objects


def find(objects: Iterable[Object], kind: str, name: str) -> Object:
    """The one object of that kind and name; raises LabError when there is none."""
    for found in objects:
        if found["kind"] == kind and found["metadata"]["name"] == name:
            return found
    raise LabError(f"the manifests have no {kind} {name}")


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [found for found in objects if found["kind"] in kinds]


def pod_of(objects: Iterable[Object], workload: str) -> Object:
    """The pod specification of a ReplicationController, to be changed in place."""
    return find(objects, "ReplicationController", workload)["spec"]["template"]["spec"]


def container_of(objects: Iterable[Object], workload: str) -> Object:
    """The only container of a ReplicationController, to be changed in place."""
    (container,) = pod_of(objects, workload)["containers"]
    return container


def mount_of(container: Object, name: str) -> Object:
    """The only mount of that volume in a container, to be changed in place."""
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == name]
    return mount


def tell_node(container: Object) -> None:
    """Let the container know, as NODE_NAME, which node it runs on: what differs by node differs by replica."""
    source = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    container.setdefault("env", []).append({"name": "NODE_NAME", "valueFrom": source})


def config_maps_of(pod: Object) -> set[str]:
    """The names of the ConfigMaps that a pod specification takes anything from."""
    mounted = {volume["configMap"]["name"] for volume in pod.get("volumes", []) if "configMap" in volume}
    return mounted | {name for name, _ in _environment_sources(pod)}


def config_map_keys_of(pod: Object) -> set[tuple[str, str]]:
    """Each (ConfigMap, key) that a pod specification names one by one, in its environment or its mounts."""
    mounted = {
        (volume["configMap"]["name"], item["key"])
        for volume in pod.get("volumes", [])
        for item in volume.get("configMap", {}).get("items", [])
    }
    return mounted | {(name, key) for name, key in _environment_sources(pod) if key is not None}


def _environment_sources(pod: Object) -> Iterator[tuple[str, str | None]]:
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            yield source["configMapRef"]["name"], None
        for variable in container.get("env", []):
            if "configMapKeyRef" in variable.get("valueFrom", {}):
                chosen = variable["valueFrom"]["configMapKeyRef"]
                yield chosen["name"], chosen["key"]
