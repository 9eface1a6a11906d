"""A registry of a few lines, as a server on loopback, that can be doctored: each word of `flaws` is one fault."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import digest_of
from harbor_verify.clients.registry import Registry, by_token
from harbor_verify.doors import Door
from tests.unit.local_server import LocalServer, QuietHandler

_INDEX = "application/vnd.oci.image.index.v1+json"
_PLACE = re.compile(
    r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs/uploads|blobs|tags/list|referrers)/?(?P<reference>[^/]*)"
)


class Store:
    """What registries that share it know."""

    def __init__(self) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.uploads: dict[str, bytes] = {}
        self.cached: dict[tuple[str, str], bytes] = {}


class FakeRegistry(LocalServer):
    """A replica, or a front door. `limit` is the most bytes of a request, `elsewhere` where blobs are."""

    def __init__(self, store: Store, *flaws: str, limit: int | None = None, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store, self.flaws, self.limit, self.elsewhere = store, set(flaws), limit, elsewhere
        self.seen: list[tuple[str, str, dict[str, str], int]] = []

    def registry(self, name: str, user: str = "admin") -> Registry:
        """A client of `user`, whose token names him and the scope that was asked for."""
        http = HttpClient(name, self.url, timeouts_s=(2, 5))
        return Registry(http, by_token(lambda scope: f"{user}|{scope}"))


@contextmanager
def doors(*servers: FakeRegistry) -> Iterator[list[Door]]:
    """The first is the front door, the others are replicas; each runs until the end."""
    with ExitStack() as stack:
        found = []
        for number, server in enumerate(servers):
            stack.enter_context(server.running())
            name = f"replica-{number}" if number else "front-door"
            registry = server.registry(name)
            stack.callback(registry.close)
            found.append(Door(name, f"pod {name}" if number else "front door", registry, number == 0))
        yield found


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    server: FakeRegistry

    def _serve(self) -> None:
        """One request."""
        self.flaws, self.store = self.server.flaws, self.server.store
        parts = urlsplit(self.path)
        self.query = {} if "drops-query" in self.flaws else parse_qs(parts.query)
        length = int(self.headers.get("Content-Length") or 0)
        if self.server.limit is not None and length > self.server.limit:
            self.rfile.read(length)
            return self._answer(413, b"too large")
        self.body = self._read(length)
        self.server.seen.append((self.command, self.path, dict(self.headers), len(self.body)))
        place = _PLACE.fullmatch(parts.path)
        if "silent" in self.flaws:
            return self._answer(503)
        if parts.path == "/v2/_catalog":
            return self._catalogue()
        if not place or ("flat" in self.flaws and place["repository"].count("/") > 1):
            return self._answer(404, b"404 page not found")
        self.repository, self.reference = place["repository"], place["reference"]
        kind = place["kind"].replace("blobs/uploads", "upload").replace("tags/list", "tags")
        return getattr(self, f"_{kind}")()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _read(self, length: int) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(length)
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        told = str(len(body))
        if self.command == "HEAD" and "head-lies" in self.flaws:
            told = str(len(body) + 1)
        headers = {"Content-Length": told, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if "drops-digest" in self.flaws:
            headers.pop("Docker-Content-Digest", None)
        if "drops-content-range" in self.flaws:
            headers.pop("Content-Range", None)
        if "drops-link" in self.flaws:
            headers.pop("Link", None)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._answer(status, json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode())

    def _manifests(self) -> None:
        if self.command == "PUT":
            return self._put_manifest()
        found = self.store.manifests.get((self.repository, self.reference))
        if found is None:
            return self._error(404, "MANIFEST_UNKNOWN")
        content, media_type = found
        digest = digest_of(content)
        if "re-encodes" in self.flaws:
            content = json.dumps(json.loads(content)).encode()
        if "retypes" in self.flaws:
            media_type = "application/json"
        return self._answer(200, content, Content_Type=media_type, Docker_Content_Digest=digest)

    def _put_manifest(self) -> None:
        media_type, limit = self.headers["Content-Type"], 999 if "long-tags" in self.flaws else 128
        if "no-manifests" in self.flaws or ("no-oci" in self.flaws and "vnd.oci" in media_type):
            return self._error(400, "MANIFEST_INVALID")
        if "no-indexes" in self.flaws and "index" in media_type:
            return self._error(400, "MANIFEST_INVALID")
        if "no-oci-415" in self.flaws and "vnd.oci" in media_type:
            return self._error(415, "UNSUPPORTED")
        if ":" not in self.reference and len(self.reference) > limit:
            return self._answer(404, b"404 page not found")
        digest = digest_of(self.body)
        for reference in {self.reference, digest}:
            self.store.manifests[self.repository, reference] = (self.body, media_type)
        return self._answer(201, Docker_Content_Digest=digest)

    def _blobs(self) -> None:
        content = self.store.blobs.get((self.repository, self.reference))
        if content is None or "lacks-blobs" in self.flaws or not self._may_pull(self.repository):
            return self._error(404, "BLOB_UNKNOWN")
        if self.server.elsewhere:
            return self._answer(
                307, Location=f"{self.server.elsewhere}/bucket/v2/{self.reference}?signature=s"
            )
        etag = f'"{self.reference}"'
        headers = {
            "Docker_Content_Digest": self.reference,
            "ETag": etag,
            "Content_Type": "application/octet-stream",
        }
        tags = self.headers.get("If-None-Match", "")
        if tags == etag or (tags and "always-304" in self.flaws):
            return self._answer(304, **headers)
        if "corrupts" in self.flaws:
            content = bytes(len(content))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked or "drops-range" in self.flaws:
            return self._answer(200, content, **headers)
        begin, end = int(asked[1]), int(asked[2] or len(content) - 1)
        part = content[begin : end + 1]
        if "wrong-part" in self.flaws:
            part = content[: len(part)]
        headers["Content_Range"] = f"bytes {begin}-{end}/{len(content)}"
        return self._answer(206, part, **headers)

    def _may_pull(self, repository: str) -> bool:
        """A developer may in `public` only, and whoever comes needs a token that names the repository."""
        user, _, scope = self.headers.get("Authorization", "").removeprefix("Bearer ").partition("|")
        return (user == "admin" or repository.startswith("public/")) and f"repository:{repository}:" in scope

    def _upload(self) -> None:
        if self.command == "POST":
            return self._begin()
        if self.reference not in self.store.uploads:
            return self._error(404, "BLOB_UPLOAD_UNKNOWN")
        held = self.store.uploads[self.reference]
        if self.command == "GET":
            last = len(held) - 1 if "miscounts" not in self.flaws else len(held)
            return self._answer(204, Range=f"0-{max(last, 0)}")
        if self.command == "DELETE" and "cannot-cancel" in self.flaws:
            return self._error(500, "UNKNOWN")
        if self.command == "DELETE":
            if "keeps-cancelled" not in self.flaws:
                del self.store.uploads[self.reference]
            return self._answer(204)
        if self.command == "PATCH":
            begin = int(self.headers.get("Content-Range", f"{len(held)}-").partition("-")[0])
            if begin != len(held) and "strict" in self.flaws:
                return self._answer(416, Range=f"0-{len(held) - 1}")
            self.store.uploads[self.reference] = held + self.body
            return self._answer(202, Location=f"/v2/{self.repository}/blobs/uploads/{self.reference}")
        return self._finish(held + self.body)

    def _finish(self, content: bytes) -> None:
        digest = self.query.get("digest", [""])[0]
        if "no-blobs" in self.flaws or (not content and "no-empty" in self.flaws):
            return self._error(500, "UNKNOWN")
        if digest != digest_of(content) and "lax" not in self.flaws:
            if "keeps-refused" in self.flaws:
                self.store.blobs[self.repository, digest] = content
            return self._error(400, "DIGEST_INVALID")
        del self.store.uploads[self.reference]
        self.store.blobs[self.repository, digest] = content
        return self._answer(201, Docker_Content_Digest=digest)

    def _begin(self) -> None:
        digest, source = (self.query.get(name, [""])[0] for name in ("mount", "from"))
        if digest and "mounts-anything" in self.flaws:
            known = (content for (_, each), content in self.store.blobs.items() if each == digest)
            self.store.blobs[self.repository, digest] = next(known, b"")
            return self._answer(201, Docker_Content_Digest=digest)
        if digest and not source and "mounts-from-nowhere" in self.flaws:
            return self._answer(201, Docker_Content_Digest=digest)
        if digest and not source and "mounts-from-anywhere" in self.flaws:
            known = (content for (_, each), content in self.store.blobs.items() if each == digest)
            self.store.blobs[self.repository, digest] = next(known)
            return self._answer(201, Docker_Content_Digest=digest)
        if digest and source and not self._may_pull(source):
            return self._error(401, "UNAUTHORIZED")
        if digest and (source, digest) in self.store.blobs and "no-mounts" not in self.flaws:
            self.store.blobs[self.repository, digest] = self.store.blobs[source, digest]
            return self._answer(201, Docker_Content_Digest=digest)
        at_once = self.query.get("digest", [""])[0]
        if at_once and "at-once" in self.flaws:
            self.store.blobs[self.repository, at_once] = self.body
            return self._answer(201, Docker_Content_Digest=at_once)
        upload = secrets.token_hex(4)
        self.store.uploads[upload] = b""
        return self._answer(202, Location=f"/v2/{self.repository}/blobs/uploads/{upload}")

    def _tags(self) -> None:
        tags = sorted(
            reference
            for repository, reference in self.store.manifests
            if repository == self.repository and ":" not in reference
        )
        if "forgets-a-tag" in self.flaws:
            tags = tags[1:]
        self._page({"name": self.repository}, "tags", tags)

    def _catalogue(self) -> None:
        """All repositories, for the administrator alone."""
        if self.headers.get("Authorization") != "Bearer admin|registry:catalog:*":
            return self._error(401, "UNAUTHORIZED")
        names = sorted({repository for repository, _ in self.store.manifests})
        if "forgets-a-repository" in self.flaws:
            names = [name for name in names if not name.endswith("4")]
        return self._page({}, "repositories", names)

    def _page(self, about: dict[str, str], key: str, names: list[str]) -> None:
        last, size = self.query.get("last", [""])[0], int(self.query.get("n", ["0"])[0])
        if "no-pages" in self.flaws:
            last, size = "", 0
        left = [name for name in names if name > last]
        page = left[:size] if size else left
        headers: dict[str, Any] = {}
        if len(page) < len(left):
            path = urlsplit(self.path).path
            headers["Link"] = f'<{path}?n={size}&last={page[-1]}>; rel="next"'
        self._answer(200, json.dumps(about | {key: page}).encode(), **headers)

    def _referrers(self) -> None:
        if "no-referrers" in self.flaws:
            return self._answer(404, b"404 page not found")
        kind, found, headers = self.query.get("artifactType", [""])[0], {}, {}
        for (repository, _), (content, media_type) in self.store.manifests.items():
            document = json.loads(content)
            if repository != self.repository or document.get("subject", {}).get("digest") != self.reference:
                continue
            if kind and "no-filter" not in self.flaws and document["artifactType"] != kind:
                continue
            found[digest_of(content)] = {
                "mediaType": media_type,
                "size": len(content),
                "digest": digest_of(content),
                "artifactType": document["artifactType"] if "no-kinds" not in self.flaws else "",
            }
        if "lists-nothing" in self.flaws:
            found = {}
        if kind and "no-filter" not in self.flaws and "filters-silently" not in self.flaws:
            headers["OCI_Filters_Applied"] = "artifactType"
        if kind and "filters-in-name-only" in self.flaws:
            headers["OCI_Filters_Applied"] = "artifactType"
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": list(found.values())}
        return self._answer(200, json.dumps(index).encode(), Content_Type=_INDEX, **headers)
