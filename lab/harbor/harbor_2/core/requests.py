"""Core's metrics: of the requests that it answers."""

import time
from collections.abc import Iterable

from ...web.request import Request
from ...web.response import Response
from ...web.server import Application
from .. import metrics
from ..metrics import Counted, Family

_OF_THE_REGISTRY = (
    ("/manifests/", "v2_manifest"),
    ("/blobs/uploads", "v2_blob_upload"),
    ("/blobs/", "v2_blob"),
)


class Requests:
    """In front of all that core does, so that what is refused is counted, too."""

    def __init__(self, answer: Application) -> None:
        self._answer = answer
        self._counted, self._in_flight = Counted(), 0

    def answer(self, request: Request) -> Response:
        self._in_flight += 1
        begun_s = time.monotonic()
        code = "500"
        try:
            response = self._answer(request)
            code = str(response.status)
            return response
        finally:
            self._in_flight -= 1
            took_s = time.monotonic() - begun_s
            self._counted.add(took_s, method=request.method, code=code, operation=_operation(request.path))

    def families(self) -> Iterable[Family]:
        name = f"{metrics.prefix()}http"
        yield self._counted.counter(f"{name}_request_total", "The total number of requests")
        yield self._counted.summary(
            f"{name}_request_duration_seconds", "The time duration of the requests", without="code"
        )
        yield metrics.gauge(
            f"{name}_inflight_requests", "The total number of requests", [({}, self._in_flight)]
        )


def _operation(path: str) -> str:
    """The real one has a name for each operation of the API; of these the stand-in knows none."""
    if not path.startswith("/v2"):
        return "unknown"
    return next((name for part, name in _OF_THE_REGISTRY if part in path), "v2_others")
