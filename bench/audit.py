"""The audit: 10,000 artifacts from three replicas of a registry on loopback, 100 blobs of which are damaged.

What is damaged is known, so it is counted what of it is found, and what is told that is well.
"""

import contextlib
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.figures import Figure
from bench.memory import most_memory_mib
from bench.registry import Stock, serve
from harbor_verify.audit import cache, records
from harbor_verify.audit.notebook import FILE, Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.result import gather
from harbor_verify.audit.walk import Source, Walk
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from harbor_verify.model.contents import BlobRow, Known

_ARTIFACTS = 10_000
_MINUTES = 5


def measure(rounds: int) -> list[Figure]:
    """Audit once, whatever `rounds` says: it takes minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = Stock(_ARTIFACTS).write(folder)
        context = multiprocessing.get_context("spawn")
        ports = context.Queue()
        server = context.Process(target=serve, args=(_ARTIFACTS, ports), daemon=True)
        server.start()
        try:
            words = [sys.executable, "-m", "bench.audit", name, *map(str, ports.get(timeout=120))]
            told = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
        finally:
            server.terminate()
    found = {tuple(each) for each in told["found"]}
    for kind, digest in sorted(found ^ expected):
        sys.stderr.write(f"{'false' if (kind, digest) in found else 'missed'}: {kind} {digest}\n")
    what = f"audit of {told['artifacts']} artifacts, {told['blobs']} blobs, three replicas"
    return [
        Figure(f"{what}: time", "min", [told["seconds"] / 60], limit=_MINUTES),
        Figure("audit: CPU of the auditor", "s", [told["cpu_s"]]),
        Figure("audit: peak memory of the auditor", "MiB", [told["memory_mib"]], limit=256),
        Figure("audit: requests", "", [told["requests"]]),
        Figure("audit: read", "MiB", [told["bytes"] / 2**20]),
        Figure(f"audit: faults missed, of {len(expected)}", "", [len(expected - found)], limit=0),
        Figure("audit: false findings", "", [len(found - expected)], limit=0),
    ]


class _Records:
    """A database of lines in files (bench/registry.py)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def artifacts(self, sql: Any) -> Iterator[Known]:
        for repository, digest in self._lines("artifacts"):
            yield Known(repository, digest)

    def blobs(self, sql: Any) -> Iterator[BlobRow]:
        for digest, size in self._lines("blobs"):
            yield BlobRow(digest, size, "none", 86400)

    def holdings(self, sql: Any) -> Iterator[tuple[str, str]]:
        yield from self._lines("holdings")

    def left_deleting(self, sql: Any, older_than_s: float) -> list[BlobRow]:
        return []

    def has(self, sql: Any, known: Known) -> bool:
        return True

    def _lines(self, name: str) -> Iterator[Any]:
        with (self._folder / name).open() as lines:
            for line in lines:
                yield json.loads(line)


class _Redis:
    """A cache of lines in a file."""

    def __init__(self, folder: Path) -> None:
        self._hashes: dict[str, dict[str, str]] = json.loads((folder / "redis").read_text())

    def keys(self, pattern: str) -> Iterator[str]:
        return (key for key in self._hashes if key.startswith(pattern.partition("*")[0]))

    def fields(self, key: str) -> dict[str, str]:
        return self._hashes.get(key, {})


def audit(folder: Path, ports: list[int]) -> None:
    """In a process of its own, whose memory is then the audit's; prints what it found as JSON."""
    begun_s, nobody = time.monotonic(), Credentials("", "")
    notebook, pace, redis, contents = Notebook(folder / FILE), Pace(), _Redis(folder), _Records(folder)

    def source(port: int) -> Source:
        return Source(
            f"replica {port}",
            lambda: Registry(HttpClient(f"replica-{port}", f"http://127.0.0.1:{port}", timeouts_s=(5, 30))),
        )

    sql: Any = None
    records.list_database(notebook, contents, sql, lambda: None)  # type: ignore[arg-type]  # as far as it is asked
    with contextlib.closing(notebook), Walk(notebook, [source(port) for port in ports], pace) as walk:
        walk.read_manifests()
        walk.read_blobs()
        cache.descriptors(notebook, redis, "redis")
        cache.links(notebook, walk, redis, "redis", notebook.has_repository)
        api: Any = SimpleNamespace()
        records.compare(notebook, contents, sql, api, nobody)  # type: ignore[arg-type]
        counts, used = notebook.counts(), resource.getrusage(resource.RUSAGE_SELF)
        json.dump(
            {
                "found": [(each.kind.value, each.digest) for each in gather(notebook)],
                "unknowns": notebook.unknowns(),
                "artifacts": counts["artifacts_read"],
                "blobs": counts["blobs_read"],
                "seconds": time.monotonic() - begun_s,
                "cpu_s": used.ru_utime + used.ru_stime,
                "memory_mib": most_memory_mib(),
                "requests": pace.requests,
                "bytes": pace.bytes,
            },
            sys.stdout,
        )


if __name__ == "__main__":
    audit(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
