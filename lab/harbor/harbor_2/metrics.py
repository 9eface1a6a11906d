"""What Harbor's programs tell Prometheus: counters and gauges, and the port at which they are told.

In the text that Prometheus reads, with the names that the real programs give them, and no more of them.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .. import log
from ..web.request import Request
from ..web.response import Response, abort
from ..web.server import serve

TEXT = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """Everything of one name; `kind` is counter, gauge or summary. A summary has samples with the suffixes `_sum` and
    `_count`."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[str, Labels, float], ...]
    """(suffix, labels, value)."""

    def text(self) -> str:
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        return "\n".join([*lines, *(self._line(*each) for each in self.samples), ""])

    def _line(self, suffix: str, labels: Labels, value: float) -> str:
        named = ",".join(f'{name}="{_escaped(text)}"' for name, text in sorted(labels.items()))
        return f"{self.name}{suffix}{'{' + named + '}' if named else ''} {value:g}"


def gauge(name: str, help: str, values: Iterable[tuple[Labels, float]]) -> Family:
    return Family(name, "gauge", help, tuple(("", labels, value) for labels, value in values))


def prefix(environment: Mapping[str, str] = os.environ) -> str:
    """What the names of core's and jobservice's metrics begin with."""
    parts = (environment.get(f"METRIC_{name}", "") for name in ("NAMESPACE", "SUBSYSTEM"))
    return "".join(f"{part}_" for part in parts if part)


class Counted:
    """How often something was, and how long it took, by its labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[tuple[str, str], ...], int] = defaultdict(int)
        self._seconds: dict[tuple[tuple[str, str], ...], float] = defaultdict(float)

    def add(self, took_s: float = 0.0, **labels: str) -> None:
        key = tuple(sorted(labels.items()))
        with self._lock:
            self._counts[key] += 1
            self._seconds[key] += took_s

    def counter(self, name: str, help: str) -> Family:
        with self._lock:
            found = sorted(self._counts.items())
        return Family(name, "counter", help, tuple(("", dict(key), value) for key, value in found))

    def summary(self, name: str, help: str, *, without: str = "") -> Family:
        """`without`: a label that it does not tell apart."""
        sums: dict[tuple[tuple[str, str], ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        with self._lock:
            for key, count in self._counts.items():
                kept = tuple(pair for pair in key if pair[0] != without)
                sums[kept][0] += self._seconds[key]
                sums[kept][1] += count
        samples = [
            (suffix, dict(key), value)
            for key, values in sorted(sums.items())
            for suffix, value in zip(("_sum", "_count"), values, strict=True)
        ]
        return Family(name, "summary", help, tuple(samples))


def tell(families: Callable[[], Iterable[Family]], *, port: int, path: str, page: str = "") -> None:
    """Open the port, in the background. One that is taken is a line in the log, and no more, as in the real ones.

    `page`: what is answered at every other path; empty: that there is none.
    """

    def answer(request: Request) -> Response:
        if request.path != path and page:
            return Response(200, page.encode(), [("Content-Type", "text/html; charset=utf-8")])
        if request.path != path:
            return abort(404, "404 page not found\n")
        text = "".join(family.text() for family in families() if family.samples)
        return Response(200, text.encode(), [TEXT])

    try:
        server = serve(answer, ("", port))
    except OSError as failure:
        log.error(f"Prometheus metrics server down with listen tcp :{port}: bind: {failure.strerror}")
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info(f"Prometheus metric server running on port {port}")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
