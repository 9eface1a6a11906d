"""A registry of a few lines over HTTP, whose Redis vouches as distribution's does, and whose files can be damaged."""

import json
import re

from harbor_verify.audit.walk import Source
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import Image, digest_of
from harbor_verify.clients.registry import Registry
from harbor_verify.model.contents import Known
from tests.unit.local_server import LocalServer, QuietHandler

_PLACE = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<digest>[^/]+)")


class Storage:
    """Files by digest, links by (repository, digest), and what Redis says: the size of each, by digest."""

    def __init__(self):
        self.files, self.links, self.redis = {}, set(), {}
        self.seldom = {}
        """Statuses that are answered first, by digest."""

    def push(self, repository, *, content=b"bytes", vouched=True):
        """An image; returns it, and what Harbor calls it."""
        image = Image.make(content, run_id="x")
        for part in (image.manifest, image.configuration, image.layer):
            self.put(repository, part, vouched=vouched and part is not image.manifest)
        return image, Known(repository, image.digest)

    def put(self, repository, content, *, vouched=True):
        digest = digest_of(content)
        self.files[digest] = content
        self.links.add((repository, digest))
        if vouched:
            self.redis[digest] = len(content)
        return digest

    # As the audit sees Redis.

    def keys(self, pattern):
        if pattern.startswith("blobs"):
            return (f"blobs::{digest}" for digest in list(self.redis))
        return (
            f"repository::{name}::blobs::{digest}"
            for name, digest in sorted(self.links)
            if digest in self.redis
        )

    def fields(self, key):
        digest = key.rpartition("::")[2]
        if digest not in self.redis:
            return {}
        return (
            {"digest": digest, "size": str(self.redis[digest])}
            if key.startswith("blobs")
            else {"mediatype": "x"}
        )


class DamagedRegistry(LocalServer):
    """One replica. `own`: a storage of its own in the place of the shared one."""

    def __init__(self, storage):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.storage, self.asked, self.silent = storage, [], False

    def source(self, place):
        return Source(place, self.registry)

    def registry(self):
        return Registry(HttpClient("registry-0", self.url, timeouts_s=(1, 2)))


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        place, storage = _PLACE.fullmatch(self.path), self.server.storage
        digest, first = place["digest"], self.headers.get("Range") == "bytes=0-0"
        self.server.asked.append((place["kind"], place["repository"], digest, first))
        if self.server.silent:
            self.close_connection = True
            return None
        if storage.seldom.get(digest):
            return self.answer(storage.seldom[digest].pop(0), b"{}")
        content = storage.files.get(digest)
        linked = (place["repository"], digest) in storage.links
        vouched = storage.redis.get(digest) if place["kind"] == "blobs" else None
        if not linked or (content is None and vouched is None):
            return self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        if place["kind"] == "manifests":
            try:
                json.loads(content)
            except ValueError:
                return self.answer(500, b'{"errors":[{"code":"UNKNOWN","detail":{"Offset":221}}]}')
        announced = len(content or b"") if vouched is None else vouched
        content = (content or b"")[:announced]
        if first and announced == 0:
            return self.answer(416, b"")
        return self.answer(206, content[:1], 1) if first else self.answer(200, content, announced)

    def do_HEAD(self):
        raise AssertionError("a HEAD proves nothing, and is never asked")

    def answer(self, status, content, announced=None):
        announced = len(content) if announced is None else announced
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(content)
        if len(content) < announced:
            self.close_connection = True
