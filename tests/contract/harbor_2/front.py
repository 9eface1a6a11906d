"""A front door as nginx is one: the portal's page, and everything else from the cores in turn."""

import http.client
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.harbor.web.incoming import Incoming
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
            body = self._body()
            core = http.client.HTTPConnection(HOST, next(turn), timeout=20)
            try:
                headers = {name: value for name, value in self.headers.items() if name != "Transfer-Encoding"}
                core.request(self.command, self.path, body, headers)
                answer = core.getresponse()
                self._send(answer.status, answer.getheaders(), answer.read())
            finally:
                core.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def _body(self) -> bytes:
            chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
            return Incoming(
                self.rfile, None if chunked else int(self.headers.get("Content-Length") or 0)
            ).rest()

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            kept = "content-length" if self.command == "HEAD" else ""
            for name, value in headers:
                if name.lower() == kept or name.lower() not in ("content-length", "date", "connection"):
                    self.send_header(name, value)
            if not kept:
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
