"""An API server that knows pods, Services and EndpointSlices, and lets a test be everything behind it.

It speaks HTTP, lists, watches (chunked, with bookmarks and 410 Gone) and deletes with preconditions, so that the real
client is tested against it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harbor_verify.clients.kubernetes import Kubernetes
from tests.unit import api_servers
from tests.unit.api_servers import ApiHandler

NAMESPACE = "harbor"
UI = MappingProxyType({"name": "ui-apps"})
LISTS = {
    f"/api/v1/namespaces/{NAMESPACE}/pods": "pods",
    f"/api/v1/namespaces/{NAMESPACE}/services": "services",
    f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices": "slices",
}


class FakeCluster:
    """Objects by list and name, and every change of them in order."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 0
        self.objects: dict[str, dict[str, dict[str, Any]]] = {"pods": {}, "services": {}, "slices": {}}
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.forgotten = 0
        """Watches from a version before this one are answered 410 Gone."""
        self.cut = 0
        """Counted up to cut every watch that is open."""
        self.watches = 0
        """How many were begun."""
        self.refuse_watches = 0
        """Status that watches get; 0: they work."""
        self.deleted: list[tuple[str, dict[str, Any]]] = []
        self.on_delete: Callable[[str], None] = lambda name: None

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        with self.changed:
            self.version += 1
            body = json.loads(json.dumps(body))
            body.setdefault("metadata", {}).update(name=name, resourceVersion=str(self.version))
            event = "MODIFIED" if name in self.objects[kind] else "ADDED"
            self.objects[kind][name] = body
            self.log.append((self.version, kind, event, body))
            self.changed.notify_all()

    def remove(self, kind: str, name: str) -> None:
        with self.changed:
            self.version += 1
            body = json.loads(json.dumps(self.objects[kind].pop(name)))
            body["metadata"]["resourceVersion"] = str(self.version)
            self.log.append((self.version, kind, "DELETED", body))
            self.changed.notify_all()

    def cut_watches(self, *, forget: bool = False) -> None:
        with self.changed:
            self.cut += 1
            if forget:
                self.forgotten = self.version + 1
                self.version += 1
            self.changed.notify_all()

    def pod(
        self,
        name: str,
        uid: str,
        *,
        age: int = 0,
        ready: bool = True,
        deleting: bool = False,
        labels: Mapping[str, str] = UI,
    ) -> None:
        metadata = {
            "uid": uid,
            "namespace": NAMESPACE,
            "labels": dict(labels),
            "creationTimestamp": f"2026-01-01T00:00:{age:02}Z",
        }
        if deleting:
            metadata["deletionTimestamp"] = "2026-01-01T00:01:00Z"
        self.put(
            "pods",
            name,
            {
                "metadata": metadata,
                "spec": {
                    "nodeName": "node-1",
                    "containers": [{"name": "ui"}],
                    "terminationGracePeriodSeconds": 0,
                },
                "status": {
                    "phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
                },
            },
        )

    def endpoints(self, service: str, *uids: str, name: str = "", not_ready: tuple[str, ...] = ()) -> None:
        self.put(
            "slices",
            name or f"{service}-1",
            {
                "metadata": {"labels": {"kubernetes.io/service-name": service}},
                "addressType": "IPv4",
                "endpoints": [
                    {
                        "addresses": ["198.18.1.1"],
                        "conditions": {"ready": uid not in not_ready},
                        "targetRef": {"kind": "Pod", "uid": uid},
                    }
                    for uid in (*uids, *not_ready)
                ],
            },
        )

    def service(self, service: str, /, **selector: str) -> None:
        self.put("services", service, {"spec": {"selector": selector}})


def _selector(query: Mapping[str, list[str]]) -> str:
    return query.get("labelSelector", [""])[0]


def _fits(body: Mapping[str, Any], selector: str) -> bool:
    """By a labelSelector of `key=value` and `key`."""
    labels = body["metadata"].get("labels", {})
    asked = [each.partition("=") for each in filter(None, selector.split(","))]
    return all(labels.get(key) == value if equal else key in labels for key, equal, value in asked)


@contextmanager
def serving(cluster: FakeCluster) -> Iterator[Kubernetes]:
    """The cluster behind an address of the loopback, and the suite's own client for it."""
    stopping = threading.Event()

    class Handler(ApiHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if path not in LISTS:
                with cluster.changed:
                    found = cluster.objects["pods"].get(path.rpartition("/")[2])
                self.answer(200 if found else 404, found or {"kind": "Status", "code": 404})
            elif query.get("watch"):
                self.watch(LISTS[path], int(query["resourceVersion"][0]), _selector(query))
            else:
                with cluster.changed:
                    body = {
                        "metadata": {"resourceVersion": str(cluster.version)},
                        "items": [
                            each
                            for each in cluster.objects[LISTS[path]].values()
                            if _fits(each, _selector(query))
                        ],
                    }
                self.answer(200, body)

        def do_DELETE(self) -> None:
            options = json.loads(self.received() or b"{}")
            name = urlsplit(self.path).path.rpartition("/")[2]
            pod = cluster.objects["pods"].get(name)
            if pod is None:
                return self.answer(404, {"kind": "Status", "code": 404})
            if options.get("preconditions", {}).get("uid") != pod["metadata"]["uid"]:
                return self.answer(409, {"kind": "Status", "code": 409})
            cluster.deleted.append((name, options))
            cluster.on_delete(name)
            return self.answer(200, pod)

        def watch(self, kind: str, since: int, selector: str) -> None:
            if cluster.refuse_watches:
                return self.answer(cluster.refuse_watches, {"kind": "Status"})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with cluster.changed:
                cluster.watches += 1
                cluster.changed.notify_all()
                cut = cluster.cut
                if since < cluster.forgotten:
                    return self.chunk(
                        {"type": "ERROR", "object": {"code": 410, "message": "too old"}}, last=True
                    )
                told = since
                while cluster.cut == cut and not stopping.is_set():
                    for version, of_kind, event, body in cluster.log:
                        if version > told and of_kind == kind and _fits(body, selector):
                            self.chunk({"type": event, "object": body})
                    told = cluster.version
                    self.chunk({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(told)}}})
                    cluster.changed.wait(5)
                self.close_connection = True
            return None

        def chunk(self, event: dict[str, Any], *, last: bool = False) -> None:
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n" + (b"0\r\n\r\n" if last else b""))

    with api_servers.serving(Handler) as kubernetes:
        try:
            yield kubernetes
        finally:
            stopping.set()
            with cluster.changed:
                cluster.changed.notify_all()
