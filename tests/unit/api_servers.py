"""What the fake API servers of these tests have in common: how they answer, and the suite's own client for one."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from tests.unit.local_server import LocalServer, QuietHandler


class ApiHandler(QuietHandler):
    """Answers in JSON, over connections that are kept."""

    protocol_version = "HTTP/1.1"

    def received(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(LocalServer):
    def handle_error(self, *where: Any) -> None:
        """A client that went away is no error here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*where)


@contextmanager
def serving(handler: type[ApiHandler]) -> Iterator[Kubernetes]:
    """The handler behind an address of the loopback, and the suite's own client for it."""
    with _Server(("127.0.0.1", 0), handler).running() as server:
        configuration = client.Configuration()
        configuration.host = server.url
        with closing(Kubernetes(configuration, timeouts_s=(2, 5), inside=False)) as kubernetes:
            yield kubernetes
