"""A front door as nginx is one: the portal's page, and everything else from the cores in turn."""

import http.client
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.contract.harbor_2.stack import STAND_IN
from tests.contract.programs import HOST

_PAGE = STAND_IN / "portal" / "html" / "index.html"
_CORES = ("/c/", "/api/", "/service/", "/v2/")


@contextmanager
def open_front(ports: Sequence[int]) -> Iterator[str]:
    """Its URL, with cores that listen on `ports` behind it."""
    turn = itertools.cycle(ports)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if not self.path.startswith(_CORES):
                self._send(200, [("Content-Type", "text/html")], _PAGE.read_bytes())
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            core = http.client.HTTPConnection(HOST, next(turn), timeout=20)
            try:
                core.request(self.command, self.path, body, dict(self.headers))
                answer = core.getresponse()
                self._send(answer.status, answer.getheaders(), answer.read())
            finally:
                core.close()

        do_GET = do_POST = _answer

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "date", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
