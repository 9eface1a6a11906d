"""An API server that holds what a text of YAML says, and plays the controllers: workloads get their pods.

Read only, over HTTP, so that the real client is tested against it. What an account may not read is 403, what
is not there 404, as of the real one.
"""

import json
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes

NAMESPACE = "harbor"
_PLURALS = {"Ingress": "ingresses"}


@contextmanager
def small_cluster(text: str, *, forbidden: Collection[tuple[str, str]] = ()) -> Iterator[Kubernetes]:
    """The suite's own client for it. `forbidden`: (namespace or "", resource) that the account may not read.

    Of an object only kind, metadata and what matters need be said; without a namespace it is in `harbor`. A
    workload has as many running pods as it asks for, or as `status: {replicas: N}` says; `given` are labels
    that one of them, by its ordinal, is given later.
    """
    objects: dict[str, dict[str, dict[str, Any]]] = {}
    for body in filter(None, yaml.safe_load_all(text)):
        _put(objects, body)
    for kind in ("Deployment", "StatefulSet", "ReplicationController", "Cluster", "DaemonSet"):
        for workload in list(objects.get(_plural(kind), {}).values()):
            _make_pods(objects, kind, workload)
    namespaces = {each["metadata"]["namespace"] for kind in objects.values() for each in kind.values()}
    objects["namespaces"] = {name: {"metadata": {"name": name}} for name in namespaces | {NAMESPACE}}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            namespace, resource, name = _asked(url.path)
            known = objects.get(resource, {})
            if (namespace, resource) in forbidden:
                told = f'{resource} is forbidden: User "verifier" cannot read it in namespace "{namespace}"'
                self.answer(403, {"kind": "Status", "message": told})
            elif name:
                found = known.get(f"{namespace}/{name}" if namespace else name)
                self.answer(200 if found else 404, found or {"kind": "Status", "message": "not found"})
            else:
                wanted = (parse_qs(url.query).get("labelSelector") or [""])[0]
                self.answer(200, {"items": list(_chosen(known.values(), namespace, wanted))})

        def answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
    kubernetes = Kubernetes(configuration, timeouts_s=(2, 5), inside=False)
    try:
        yield kubernetes
    finally:
        kubernetes.close()
        server.shutdown()
        server.server_close()
        thread.join()


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


def _put(objects: dict[str, dict[str, dict[str, Any]]], body: dict[str, Any]) -> None:
    body["metadata"].setdefault("namespace", NAMESPACE)
    body["metadata"].setdefault("uid", f"{body['kind']}-{body['metadata']['name']}")
    key = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
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
    for ordinal in range(workload.get("status", {}).get("replicas", desired)):
        pod = {
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-{ordinal}",
                "namespace": metadata["namespace"],
                "labels": labels | (spec.get("given", {}).get(ordinal, {})),
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": spec["template"]["spec"],
            "status": {"phase": "Running", "podIP": f"198.51.100.{1 + len(objects.get('pods', {}))}"},
        }
        _put(objects, pod)


def _asked(path: str) -> tuple[str, str, str]:
    """(namespace or "", resource, name or "") of /api/v1/… or /apis/GROUP/VERSION/…"""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[0] == "namespaces" and len(rest) > 2:
        return rest[1], rest[2], "/".join(rest[3:])
    if rest[0] == "namespaces" and len(rest) == 2:
        return "", "namespaces", rest[1]
    return "", rest[0], "/".join(rest[1:])


def _chosen(known: Collection[dict[str, Any]], namespace: str, wanted: str) -> Iterator[dict[str, Any]]:
    asked = dict(word.split("=", 1) for word in wanted.split(",") if word)
    for body in known:
        mine = not namespace or body["metadata"]["namespace"] == namespace
        if mine and asked.items() <= (body["metadata"].get("labels") or {}).items():
            yield body
