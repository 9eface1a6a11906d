"""What the fake API servers of these tests have in common: how they answer, and the suite's own client for one."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes


class ApiHandler(BaseHTTPRequestHandler):
    """Answers in JSON, over connections that are kept."""

    disable_nagle_algorithm = True  # head and body are two packets: the second waits for 40 ms otherwise
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def received(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *where: Any) -> None:
        """A client that went away is no error here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*where)


@contextmanager
def serving(handler: type[ApiHandler]) -> Iterator[Kubernetes]:
    """The handler behind an address of the loopback, and the suite's own client for it."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
    kubernetes = Kubernetes(configuration, timeouts_s=(2, 5), inside=False)
    try:
        yield kubernetes
    finally:
        kubernetes.close()
        server.shutdown()
        server.server_close()
        thread.join()
