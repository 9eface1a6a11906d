"""An API server that holds what a text of YAML says, and plays what a cluster does of itself: workloads get their pods,
which run on three nodes; claims are bound, and Services lead to pods.

Read only, over HTTP, so that the real client is tested against it. What an account may not read is 403, what
is not there 404, as of the real one.
"""

import base64
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from harbor_verify.clients.kubernetes import Kubernetes
from tests.unit import api_servers
from tests.unit.api_servers import ApiHandler

NAMESPACE = "harbor"
_PLURALS = {"Ingress": "ingresses"}
_OF_NO_NAMESPACE = ("Node", "PersistentVolume")
_NODES = ("node-1", "node-2", "node-3")
_VERSION = dict.fromkeys(
    ("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "major", "minor", "platform"), "x"
) | {"gitVersion": "v1.31.0"}
_RETAINED = "nfs"
"""The storage class whose volumes outlive their claims."""


@contextmanager
def small_cluster(
    text: str,
    *,
    forbidden: Collection[tuple[str, str]] = (),
    dying: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    besides: Callable[[type[ApiHandler]], type[ApiHandler]] = lambda handler: handler,
) -> Iterator[Kubernetes]:
    """The suite's own client for it. `forbidden`: (namespace or "", resource) that the account may not read.

    Of an object only kind, metadata and what matters need be said; without a namespace it is in `harbor`. A
    workload has as many running pods as it asks for, or as `status: {replicas: N}` says; `given` are labels
    that one of them, by its ordinal, is given later. `dying`: what the status of containers of that name says besides.
    `besides` makes a handler of this one that can more.
    """
    objects: dict[str, dict[str, dict[str, Any]]] = {}
    for body in filter(None, yaml.load_all(text, Loader=yaml.CSafeLoader)):
        _put(objects, body)
    for kind in ("Deployment", "StatefulSet", "ReplicationController", "Cluster", "DaemonSet"):
        for workload in list(objects.get(_plural(kind), {}).values()):
            _make_pods(objects, kind, workload)
    for pod in objects.get("pods", {}).values():
        for container in pod["status"].get("containerStatuses", ()):
            container.update(dying.get(container["name"], {}))
    for claim in objects.get("persistentvolumeclaims", {}).values():
        _bind(objects, claim)
    for service in list(objects.get("services", {}).values()):
        _lead(objects, service)
    for name in () if "nodes" in objects else _NODES:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        _put(objects, {"kind": "Node", "metadata": {"name": name}, "spec": {}, "status": ready})
    namespaces = {each["metadata"]["namespace"] for kind in objects.values() for each in kind.values()} - {""}
    objects["namespaces"] = {name: {"metadata": {"name": name}} for name in namespaces | {NAMESPACE}}

    class Handler(ApiHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.startswith("/version"):
                self.answer(200, _VERSION)
                return
            namespace, resource, name = _asked(url.path)
            known = objects.get(resource, {})
            if (namespace, resource) in forbidden:
                told = f'{resource} is forbidden: User "verifier" cannot read it in namespace "{namespace}"'
                self.answer(403, {"kind": "Status", "message": told})
            elif name:
                found = known.get(f"{namespace}/{name}" if namespace else name)
                self.answer(200 if found else 404, found or {"kind": "Status", "message": "not found"})
            else:
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                self.answer(200, _page(list(_chosen(known.values(), namespace, asked)), asked))

        def do_POST(self) -> None:
            """The account may do whatever is not forbidden to be read."""
            self.received()
            self.answer(201, {"status": {"allowed": True}, "spec": {}})

    with api_servers.serving(besides(Handler)) as kubernetes:
        yield kubernetes


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


def _put(objects: dict[str, dict[str, dict[str, Any]]], body: dict[str, Any]) -> None:
    nowhere = body["kind"] in _OF_NO_NAMESPACE
    body["metadata"].setdefault("namespace", "" if nowhere else NAMESPACE)
    body["metadata"].setdefault("uid", f"{body['kind']}-{body['metadata']['name']}")
    for key, value in body.pop("stringData", {}).items():
        body.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
    key = (
        body["metadata"]["name"] if nowhere else f"{body['metadata']['namespace']}/{body['metadata']['name']}"
    )
    objects.setdefault(_plural(body["kind"]), {})[key] = body


def _make_pods(objects: dict[str, dict[str, dict[str, Any]]], kind: str, workload: dict[str, Any]) -> None:
    """Pods as its controller makes them; a Deployment's belong to a ReplicaSet."""
    metadata, spec = workload["metadata"], workload["spec"]
    spec["template"].setdefault("spec", {"containers": [{"name": "c"}]})
    if kind != "ReplicationController":
        spec.setdefault("selector", {"matchLabels": spec["template"]["metadata"].get("labels") or {"x": "x"}})
    spec.setdefault("serviceName", metadata["name"])
    api_version = {"ReplicationController": "v1", "Cluster": "postgresql.example/v1"}.get(kind, "apps/v1")
    owner = {"kind": kind, "name": metadata["name"], "uid": metadata["uid"], "apiVersion": api_version}
    labels = dict(spec["template"]["metadata"].get("labels") or {})
    if kind == "Deployment":
        labels["pod-template-hash"] = "5d4f8c"
        owner |= {"kind": "ReplicaSet", "name": f"{metadata['name']}-5d4f8c"}
    desired = spec.get("replicas", 1)
    nodes = itertools.cycle(_NODES)
    for _ in range(len(metadata["name"]) % len(_NODES)):
        next(nodes)  # Not every first pod is on one node.
    pods = workload.get("status", {}).get("replicas", desired)
    metadata.setdefault("generation", 1)
    seen = {"observedGeneration": 1, "replicas": pods, "updatedReplicas": pods}
    workload["status"] = {**seen, **workload.get("status", {})}
    for ordinal in range(pods):
        pod = {
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-{ordinal}",
                "namespace": metadata["namespace"],
                "labels": labels | (spec.get("given", {}).get(ordinal, {})),
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": {**spec["template"]["spec"], "nodeName": next(nodes)},
            "status": {
                "phase": "Running",
                "podIP": f"198.51.100.{1 + len(objects.get('pods', {}))}",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [_running(each) for each in spec["template"]["spec"]["containers"]],
            },
        }
        pod["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{ordinal:02}Z"
        for template in spec.get("volumeClaimTemplates", ()):
            name = f"{template['metadata']['name']}-{pod['metadata']['name']}"
            given = {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}}
            pod["spec"]["volumes"] = [*pod["spec"].get("volumes", ()), given]
            where = {"name": name, "namespace": metadata["namespace"]}
            _put(objects, {"kind": "PersistentVolumeClaim", "metadata": where, "spec": template["spec"]})
        _put(objects, pod)


def _running(container: dict[str, Any]) -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    image = {"image": container.get("image", ""), "imageID": ""}
    return {"name": container["name"], "ready": True, "restartCount": 0, "state": state, **image}


def _bind(objects: dict[str, dict[str, dict[str, Any]]], claim: dict[str, Any]) -> None:
    """To a volume of its own, with what it asks for; one that says its status stays as it is."""
    if "status" in claim:
        return
    metadata, spec = claim["metadata"], claim["spec"]
    name, modes = f"pv-{metadata['name']}", spec["accessModes"]
    reference = {key: metadata[key] for key in ("name", "namespace", "uid")}
    retained = spec.get("storageClassName") == _RETAINED
    volume = {
        "accessModes": modes,
        "capacity": spec["resources"]["requests"],
        "claimRef": reference,
        "csi": {"driver": "csi.example", "volumeHandle": name},
        "persistentVolumeReclaimPolicy": "Retain" if retained else "Delete",
    }
    spec["volumeName"] = name
    claim["status"] = {"phase": "Bound", "accessModes": modes, "capacity": volume["capacity"]}
    _put(objects, {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume})


def _lead(objects: dict[str, dict[str, dict[str, Any]]], service: dict[str, Any]) -> None:
    """The EndpointSlice of a Service with a selector: each pod that it chooses, and that has not ended, is Ready."""
    metadata, selector = service["metadata"], service["spec"].get("selector")
    if not selector:
        return
    wanted = ",".join(f"{key}={value}" for key, value in selector.items())
    endpoints = [
        {
            "addresses": [pod["status"].get("podIP", "198.51.100.250")],
            "conditions": {"ready": True},
            "targetRef": {
                "kind": "Pod",
                **{key: pod["metadata"][key] for key in ("name", "namespace", "uid")},
            },
        }
        for pod in _chosen(objects.get("pods", {}).values(), metadata["namespace"], {"labelSelector": wanted})
        if pod["status"].get("phase") not in ("Failed", "Succeeded")
    ]
    ports = [
        {"name": port.get("name", ""), "port": port["port"]} for port in service["spec"].get("ports", ())
    ]
    labels = {"kubernetes.io/service-name": metadata["name"]}
    where = {"name": f"{metadata['name']}-1", "namespace": metadata["namespace"], "labels": labels}
    slice_ = {
        "kind": "EndpointSlice",
        "metadata": where,
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }
    _put(objects, slice_)


def _asked(path: str) -> tuple[str, str, str]:
    """(namespace or "", resource, name or "") of /api/v1/… or /apis/GROUP/VERSION/…"""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[0] == "namespaces" and len(rest) > 2:
        return rest[1], rest[2], "/".join(rest[3:])
    if rest[0] == "namespaces" and len(rest) == 2:
        return "", "namespaces", rest[1]
    return "", rest[0], "/".join(rest[1:])


def _page(chosen: list[dict[str, Any]], asked: Mapping[str, str]) -> dict[str, Any]:
    """As much of a list as is asked for, and where it goes on."""
    begin = int(asked.get("continue", 0))
    end = begin + int(asked.get("limit", len(chosen)))
    return {"metadata": {"continue": str(end) if end < len(chosen) else ""}, "items": chosen[begin:end]}


def _chosen(
    known: Iterable[dict[str, Any]], namespace: str, asked: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """What a list of a namespace ("": of all) gives, by labelSelector and, of fields, the address of a pod."""
    labels = list(_requirements(asked.get("labelSelector", "")))
    address = asked.get("fieldSelector", "").removeprefix("status.podIP=")
    for body in known:
        mine = not namespace or body["metadata"]["namespace"] == namespace
        own = body["metadata"].get("labels") or {}
        fits = all(own.get(key) in values for key, values in labels)
        if mine and fits and address in ("", body.get("status", {}).get("podIP")):
            yield body


def _requirements(selector: str) -> Iterator[tuple[str, list[str]]]:
    """(key, values of which it has one) of each part: `a=x` and `a in (x,y)`."""
    for key, several, _, one in re.findall(r"([\w./-]+)(?: in \(([^)]*)\)|(==?)([^,]*))", selector):
        yield key, several.split(",") if several else [one]
