"""Kubernetes objects as YAML has them: reading them from `deploy/`, and finding one's way in them."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe one, in C where PyYAML has it: ten times faster."""
Object = dict[str, Any]

NOT_NAMESPACED = frozenset({"Namespace", "PersistentVolume"})
WORKLOADS = ("ReplicationController", "Deployment", "StatefulSet")
"""The kinds of workload that `deploy/` and layouts have."""


def read(folder: Path, *, namespace: str | None = None) -> list[Object]:
    """The objects of a kustomization, in its order, put into `namespace` (default: the one it names).

    Knows `namespace` and `resources`, all that `deploy/` needs; raises LabError at anything else, which
    it would otherwise leave out in silence.
    """
    kustomization = yaml.load((folder / "kustomization.yaml").read_text(), Loader=LOADER)
    unknown = kustomization.keys() - {"apiVersion", "kind", "namespace", "resources"}
    if unknown:
        raise LabError(
            f"{folder}/kustomization.yaml has {sorted(unknown)}, which the lab does not understand"
        )
    namespace = namespace or kustomization["namespace"]
    objects = [
        document
        for resource in kustomization["resources"]
        for document in yaml.load_all((folder / resource).read_text(), Loader=LOADER)
    ]
    for each in objects:
        if each["kind"] == "Namespace":
            each["metadata"]["name"] = namespace
        elif each["kind"] not in NOT_NAMESPACED:
            each["metadata"]["namespace"] = namespace
    return objects


def find(objects: Iterable[Object], kind: str, name: str) -> Object:
    """The one object of that kind and name; raises LabError when there is none."""
    for each in objects:
        if each["kind"] == kind and each["metadata"]["name"] == name:
            return each
    raise LabError(f"the manifests have no {kind} {name}")


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [each for each in objects if each["kind"] in kinds]


def workload(objects: Iterable[Object], name: str) -> Object:
    """The workload of that name, of whichever kind; raises LabError when there is none."""
    for each in of_kind(objects, *WORKLOADS):
        if each["metadata"]["name"] == name:
            return each
    raise LabError(f"the manifests have no workload {name}")


def pod_of(objects: Iterable[Object], name: str) -> Object:
    """The pod specification of a workload, to be changed in place."""
    return workload(objects, name)["spec"]["template"]["spec"]


def container_of(objects: Iterable[Object], name: str, container: str | None = None) -> Object:
    """The container of that name of a workload, or its only one, to be changed in place."""
    (container_object,) = [
        each for each in pod_of(objects, name)["containers"] if container in (None, each["name"])
    ]
    return container_object


def mount_of(container: Object, name: str) -> Object:
    """The only mount of that volume in a container, to be changed in place."""
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == name]
    return mount


def tell_node(container: Object) -> None:
    """Let the container know, as NODE_NAME, which node it runs on: what differs by node differs by replica."""
    source = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    container.setdefault("env", []).append({"name": "NODE_NAME", "valueFrom": source})


def put_text(secret: Object, key: str, text: str) -> None:
    """Put a text into a Secret, in the form that the API server gives it back in."""
    secret.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


Source = tuple[str, str]
"""(kind, name) of a ConfigMap or a Secret."""


def change_text(config_map: Object, key: str, old: str, new: str) -> None:
    """Put one text in the place of another in a ConfigMap's file. Raises ValueError when it is not there."""
    text = config_map["data"][key]
    if old not in text:
        raise ValueError(f"{config_map['metadata']['name']}: {key} has no {old!r} to change")
    config_map["data"][key] = text.replace(old, new)


def sources_of(pod: Object) -> set[Source]:
    """The ConfigMaps and Secrets that a pod specification takes anything from."""
    return {source for source, _ in _taken(pod)}


def source_keys_of(pod: Object) -> set[tuple[Source, str]]:
    """Each key of them that a pod specification names one by one, in its environment or its mounts."""
    return {(source, key) for source, key in _taken(pod) if key is not None}


def _taken(pod: Object) -> Iterator[tuple[Source, str | None]]:
    """What is taken from where; None: everything that there is."""
    for volume in pod.get("volumes", []):
        for kind, field, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            if field in volume:
                for item in volume[field].get("items", [{"key": None}]):
                    yield (kind, volume[field][name]), item["key"]
    for container in pod["containers"]:
        for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
            for source in container.get("envFrom", []):
                if f"{field}Ref" in source:
                    yield (kind, source[f"{field}Ref"]["name"]), None
            for variable in container.get("env", []):
                chosen = variable.get("valueFrom", {}).get(f"{field}KeyRef")
                if chosen:
                    yield (kind, chosen["name"]), chosen["key"]
