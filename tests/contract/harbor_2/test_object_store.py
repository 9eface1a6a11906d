"""Images in a bucket: registryctl deletes there, and core follows the registry's redirects to it."""

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from lab.harbor.harbor_2.bucket import Bucket, BucketFailure
from lab.harbor.harbor_2.core.registry_client import RegistryClient
from lab.harbor.harbor_2.registryctl.storage import NotStored, Objects, Storage
from tests.contract.programs import HOST

BLOB = "sha256:" + 64 * "a"
OTHER = "sha256:" + 64 * "b"
TOP = "docker/registry/v2"
MANIFESTS = f"{TOP}/repositories/library/app/_manifests"
PAGE = 2


class Store(ThreadingHTTPServer):
    """An object store of two keys a page; it remembers what it was asked, with which headers."""

    daemon_threads = True

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        super().__init__((HOST, 0), Answers)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # http.server's looks the host up
        self.server_name, self.server_port = HOST, self.server_address[1]


class Answers(BaseHTTPRequestHandler):
    server: Store

    def log_message(self, *words: object) -> None: ...

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        query, (_, bucket, *rest) = parse_qs(parts.query), unquote(parts.path).split("/")
        key = "/".join(rest)
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        match self.command:
            case "GET" if bucket == "v2":  # a registry, beside it
                self.answer(
                    307, Location=f"http://{HOST}:{self.server.server_port}/images/{rest[-1]}?signed=1"
                )
            case _ if bucket != "images":
                self.answer(403, b"<Code>AccessDenied</Code>")
            case "GET" if key in self.server.objects:
                self.answer(200, self.server.objects[key])
            case "GET" if not key:
                self.answer(200, self.listing(query["prefix"][0], query.get("continuation-token", [""])[0]))
            case "DELETE":
                self.server.objects.pop(key, None)
                self.answer(204)
            case _:
                self.answer(404)

    do_GET = do_DELETE = handle_any

    def listing(self, prefix: str, behind: str) -> bytes:
        keys = [key for key in sorted(self.server.objects) if key.startswith(prefix) and key > behind]
        page = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys[:PAGE])
        more = f"<NextContinuationToken>{keys[PAGE - 1]}</NextContinuationToken>" if len(keys) > PAGE else ""
        name = "http://s3.amazonaws.com/doc/2006-03-01/"
        return f'<ListBucketResult xmlns="{name}">{page}{more}</ListBucketResult>'.encode()


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def bucket(store: Store, name: str = "images") -> Bucket:
    return Bucket(f"http://{HOST}:{store.server_port}", name, "key", "secret")


def storage(store: Store) -> Storage:
    return Storage(Objects(bucket(store), "/top"))


def put(store: Store, **places: bytes) -> None:
    store.objects |= {f"top/{place}": content for place, content in places.items()}


def test_a_blob_is_deleted_and_is_then_not_there(store: Store) -> None:
    blob = f"{TOP}/blobs/sha256/aa/{64 * 'a'}/data"
    put(store, **{blob: b"layer", blob.replace("a/data", "ab/data"): b"another"})
    storage(store).delete_blob(BLOB)
    assert list(store.objects.values()) == [b"another"]
    with pytest.raises(NotStored):
        storage(store).delete_blob(BLOB)


def test_a_manifest_is_deleted_with_the_tags_that_point_there(store: Store) -> None:
    tags, revisions = f"{MANIFESTS}/tags", f"{MANIFESTS}/revisions/sha256"
    put(
        store,
        **{
            f"{tags}/gone/current/link": BLOB.encode(),
            f"{tags}/gone/index/sha256/{64 * 'a'}/link": BLOB.encode(),
            f"{tags}/moved/current/link": OTHER.encode(),
            f"{tags}/moved/index/sha256/{64 * 'a'}/link": BLOB.encode(),
            f"{tags}/moved/index/sha256/{64 * 'b'}/link": OTHER.encode(),
            f"{revisions}/{64 * 'a'}/link": BLOB.encode(),
            f"{revisions}/{64 * 'b'}/link": OTHER.encode(),
        },
    )
    storage(store).delete_manifest("library/app", BLOB)
    assert sorted(store.objects) == [
        f"top/{revisions}/{64 * 'b'}/link",
        f"top/{tags}/moved/current/link",
        f"top/{tags}/moved/index/sha256/{64 * 'b'}/link",
    ]


def test_every_request_is_signed(store: Store) -> None:
    assert list(bucket(store).keys("none of these")) == []
    ((_, path, headers),) = store.asked
    assert path == "/images?list-type=2&prefix=none%20of%20these"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert headers["Host"] == f"{HOST}:{store.server_port}"


def test_a_refusal_names_the_request_and_the_reason(store: Store) -> None:
    with pytest.raises(BucketFailure, match=r"GET http://.*/others/x: 403 <Code>AccessDenied"):
        bucket(store, "others").read("x")


def test_core_does_not_tell_the_object_store_who_it_is(store: Store) -> None:
    store.objects["config"] = b"{}"
    registry = RegistryClient(f"http://{HOST}:{store.server_port}", "harbor", "password")
    assert registry.send("GET", "/v2/library/app/blobs/config").body == b"{}"
    assert [("Authorization" in headers) for _, _, headers in store.asked] == [True, False]
