"""An HTTP/1.1 server with a thread for each connection, as Go has a goroutine for each.

A pool of threads would not do: with a frozen Redis every request hangs, and static files are still served.
"""

import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .request import Request
from .response import Response, error

Application = Callable[[Request], Response]


def serve(application: Application, address: tuple[str, int], *, name: str | None = None) -> "Server":
    """Open the port; requests are answered once `serve_forever` runs. `name` goes into the header Server."""
    handler = type("Handler", (_Handler,), {"application": staticmethod(application), "server_name": name})
    return Server(address, handler)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self) -> None:
        # Not the base class's: it looks up the host's name, which may take seconds and is of no use here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that goes away is nothing to write home about; anything else is a defect of the stand-in.
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    application: Application
    server_name: str | None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            # No client of Harbor sends one to these programs, and a body left unread would be the next request.
            self.close_connection = True
            self._send(error(411, "Length Required"))
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(self.application(Request(self.command, self.path, self.headers, body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _send(self, response: Response) -> None:
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if self.server_name:
            lines.append(f"Server: {self.server_name}")
        lines.append(f"Date: {self.date_time_string()}")
        if response.body or self.command != "HEAD":
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)

    def log_message(self, *_: object) -> None:
        """Nothing: Harbor logs no requests either."""
