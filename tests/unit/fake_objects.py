"""An API server that keeps objects of any kind, by path: made, read, listed, patched (merged), replaced, deleted.

It has what concurrent writers rely on: a resourceVersion that each change raises, 409 for whoever writes upon another
one, and preconditions of deletions; so the real client is tested against it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harbor_verify.clients.kubernetes import Kubernetes
from tests.unit import api_servers
from tests.unit.api_servers import ApiHandler

CORE = "/api/v1/namespaces/harbor"
DEPLOYMENTS = "/apis/apps/v1/namespaces/harbor/deployments"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/harbor/leases/harbor-verify"
LEDGER = f"{CORE}/configmaps/harbor-verify-ledger"
NODES = "/api/v1/nodes"


class Objects:
    """`there` by path; `refuse` is the status that (method, path) gets in place of an answer, `lose` answers after the
    request was done; `asked` is what was asked, in order.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.there: dict[str, dict[str, Any]] = {}
        self.refuse: dict[tuple[str, str], int] = {}
        self.lose: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str]] = []
        self.dies_at: int | None = None
        """The number of the request that, and after which none, is answered any more: whoever asks has died."""
        self.dies_after_act = False
        """Whether that one is still done."""
        self.version = 0

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.version += 1
            meta = body.setdefault("metadata", {})
            meta.update(name=path.rpartition("/")[2], resourceVersion=str(self.version))
            meta.setdefault("uid", f"uid-{self.version}")
            self.there[path] = body
            return body

    def deployment(self, name: str, replicas: int, **annotations: str) -> None:
        template = {"metadata": {"annotations": {}}, "spec": {"containers": [{"name": "c"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {}}, "template": template}
        self.put(
            f"{DEPLOYMENTS}/{name}", {"metadata": {"annotations": annotations}, "spec": spec, "status": {}}
        )

    def node(self, name: str, **spec: Any) -> None:
        self.put(f"{NODES}/{name}", {"metadata": {"annotations": {}}, "spec": spec})

    def bare(self, path: str) -> dict[str, Any]:
        """An object without what each change of it changes."""
        body = json.loads(json.dumps(self.there[path]))
        del body["metadata"]["resourceVersion"]
        return body

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.asked.append((method, path))
            if status := self.refuse.get((method, path)):
                return status, {}
            if method == "POST":
                path = f"{path}/{body['metadata']['name']}"
                return (409, {}) if path in self.there else (201, self.put(path, body))
            if method == "GET" and any(key.rpartition("/")[0] == path for key in self.there):
                items = [each for key, each in self.there.items() if key.rpartition("/")[0] == path]
                return 200, {"items": items}
            if path not in self.there:
                return 404, {}
            present = self.there[path]
            meta = (body or {}).get("preconditions") or (body or {}).get("metadata") or {}
            for key in ("resourceVersion", "uid"):
                if method != "GET" and meta.get(key) not in (None, present["metadata"][key]):
                    return 409, {}
            if method == "GET":
                return 200, present
            if method == "DELETE":
                return 200, self.there.pop(path)
            if method == "PUT":
                return 200, self.put(path, body)
            return 200, self.put(path, merged(present, body))


def merged(there: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    kept = dict(there) if isinstance(there, dict) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merged(kept.get(key), value)
    return kept


@contextmanager
def serving(objects: Objects) -> Iterator[Kubernetes]:
    """The objects behind an address of the loopback, and the suite's own client for it."""

    class Handler(ApiHandler):
        def handle_any(self) -> None:
            sent = self.received()
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            dying = objects.dies_at is not None and len(objects.asked) >= objects.dies_at
            if dying and not (objects.dies_after_act and len(objects.asked) == objects.dies_at):
                self.close_connection = True
                return
            status, body = objects.answer(self.command, path, json.loads(sent or b"null"))
            if dying:
                self.close_connection = True
                return
            if "items" in body and "fieldSelector" in query:
                name = query["fieldSelector"][0].removeprefix("metadata.name=")
                body = {"items": [each for each in body["items"] if each["metadata"]["name"] == name]}
            if (self.command, path) in objects.lose:
                self.close_connection = True
                return
            self.answer(status, body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    with api_servers.serving(Handler) as kubernetes:
        yield kubernetes
