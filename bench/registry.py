"""A registry of three replicas on loopback, fast enough to be no bottleneck, with damaged blobs among many."""

import asyncio
import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

_REPOSITORIES, _SHARED = 250, 400
_SHARED_BYTES = (20_000, 200_000)
_OWN_BYTES = (500, 30_000)
_REQUEST = re.compile(rb"GET /v2/(\S+)/(manifests|blobs)/(\S+) HTTP/1\.1\r\n")
FAULTS = {
    "missing": 20,
    "truncated": 20,
    "other bytes": 20,
    "wrong size": 5,
    "miscounted": 5,
    "stale in Redis": 15,
    "another Harbor's in Redis": 15,
}


class Stock:
    """So many artifacts, the same in each process: each a configuration, three layers that others have too, and one
    of its own.
    """

    def __init__(self, artifacts: int) -> None:
        drawn = random.Random(artifacts)
        self.content: dict[str, bytes] = {}
        self.size: dict[str, int] = {}
        """What manifests say."""
        self.artifacts: list[tuple[str, str, list[str]]] = []
        self.fault: dict[str, str] = {}
        faulty = iter(drawn.sample([kind for kind, number in FAULTS.items() for _ in range(number)][:85], 85))
        chosen = set(drawn.sample(range(artifacts), 85))
        shared = [self._blob(drawn.randbytes(drawn.randint(*_SHARED_BYTES))) for _ in range(_SHARED)]
        self.recorded_otherwise: set[str] = set()
        for number in range(artifacts):
            repository = f"team-{number % 25}/app-{number % _REPOSITORIES}"
            base = (number % _REPOSITORIES) * 7
            layers = [shared[(base + step) % _SHARED] for step in range(3)]
            own = self._blob(drawn.randbytes(drawn.randint(*_OWN_BYTES)))
            config = self._blob(
                json.dumps({"number": number, "history": "made for a measurement. " * 40}).encode()
            )
            if number in chosen:
                self._damage(own if number % 2 else config, next(faulty))
            parts = [config, *layers, own]
            manifest = json.dumps(
                {
                    "schemaVersion": 2,
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/json", "digest": config, "size": self.size[config]},
                    "layers": [
                        {"mediaType": "application/octet-stream", "digest": each, "size": self.size[each]}
                        for each in (*layers, own)
                    ],
                }
            ).encode()
            self.artifacts.append((repository, self._blob(manifest), parts))
        self.foreign = [
            f"sha256:{drawn.randbytes(32).hex()}" for _ in range(FAULTS["another Harbor's in Redis"])
        ]
        for digest in self.foreign:
            self.fault[digest] = "stale in Redis"

    def _blob(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.content[digest], self.size[digest] = content, len(content)
        return digest

    def _damage(self, digest: str, kind: str) -> None:
        content = self.content[digest]
        self.fault[digest] = kind
        if kind == "other bytes":
            flipped = bytearray(content)
            flipped[len(content) // 2] ^= 1
            self.content[digest] = bytes(flipped)
        elif kind == "wrong size":
            self.size[digest] += 1
        elif kind == "miscounted":
            self.recorded_otherwise.add(digest)

    def write(self, folder: Path) -> set[tuple[str, str]]:
        """What database and Redis say, as files; returns what is to be found: (kind, digest)."""
        with (folder / "artifacts").open("w") as artifacts, (folder / "holdings").open("w") as holdings:
            for repository, digest, parts in self.artifacts:
                artifacts.write(json.dumps([repository, digest]) + "\n")
                for part in (digest, *parts):
                    holdings.write(json.dumps([digest, part]) + "\n")
        with (folder / "blobs").open("w") as blobs:
            for digest, content in self.content.items():
                size = len(content) + (digest in self.recorded_otherwise)
                blobs.write(json.dumps([digest, size]) + "\n")
        hashes: dict[str, Any] = {}
        for digest in self.foreign:
            hashes[f"blobs::{digest}"] = {"digest": digest, "size": "4711"}
            hashes[f"repository::elsewhere/app::blobs::{digest}"] = {"mediatype": "application/octet-stream"}
        for repository, _, parts in self.artifacts[::10]:
            for part in parts:
                hashes[f"blobs::{part}"] = {"digest": part, "size": str(self.size[part])}
                hashes[f"repository::{repository}::blobs::{part}"] = {"mediatype": "application/octet-stream"}
        (folder / "redis").write_text(json.dumps(hashes))
        return {
            ("another Harbor's in Redis" if digest in self.foreign else kind, digest)
            for digest, kind in self.fault.items()
        }


class _Connection(asyncio.Protocol):
    def __init__(self, stock: Stock) -> None:
        self._stock, self._received = stock, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._answer(head + b"\r\n")

    def _answer(self, head: bytes) -> None:
        asked = _REQUEST.match(head)
        digest = asked[3].decode() if asked else ""
        fault, content = self._stock.fault.get(digest, ""), self._stock.content.get(digest)
        vouched = int(digest[-2:] or "0", 16) % 2  # by Redis: then the length is the whole one's
        if fault == "missing" or (content is None and fault != "stale in Redis"):
            return self._send(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        content = content or b"x" * 4711
        announced = len(content)
        if fault == "truncated":
            content = content[: len(content) // 2]
            announced = announced if vouched else len(content)
        if fault == "stale in Redis":
            content = b""
        if b"bytes=0-0" in head:
            return self._send(206, content[:1], 1)
        return self._send(200, content, announced)

    def _send(self, status: int, content: bytes, announced: int | None = None) -> None:
        length = len(content) if announced is None else announced
        self._transport.write(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, length) + content)
        if len(content) < length:
            self._transport.close()


def serve(artifacts: int, ports: Any) -> None:
    """Three replicas in this process, until it is ended; puts their ports where they are told."""

    async def run() -> None:
        stock, loop = Stock(artifacts), asyncio.get_running_loop()
        servers = [await loop.create_server(lambda: _Connection(stock), "127.0.0.1", 0) for _ in range(3)]
        ports.put([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.gather(*(server.serve_forever() for server in servers))

    asyncio.run(run())
