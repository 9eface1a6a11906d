"""An HTTP/1.1 server with a thread for each connection, as Go has a goroutine for each.

A pool of threads would not do: with a frozen Redis every request hangs, and static files are still served.
"""

import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .incoming import Incoming
from .request import Request
from .response import Response, error

Application = Callable[[Request], Response]

_DRAINED_BYTES = 256 * 1024
"""What is read of a body that nobody wanted, so that the connection can be used on; Go does the same."""
_LINGER_S = 0.5


def serve(
    application: Application,
    address: tuple[str, int],
    *,
    name: str | None = None,
    streams: bool = False,
    tls: ssl.SSLContext | None = None,
) -> "Server":
    """Open the port; requests are answered once `serve_forever` runs.

    `name` goes into the header Server. Where it `streams`, bodies of requests are left unread, for the application
    to read; else they are in memory when it is called. With `tls` nothing else is spoken.
    """
    handler = type(
        "Handler",
        (_Handler,),
        {"application": staticmethod(application), "server_name": name, "streams": streams},
    )
    return Server(address, handler, tls)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, handler)
        self._tls = tls

    def server_bind(self) -> None:
        # Not the base class's: it looks up the host's name, which may take seconds and is of no use here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        """In the connection's own thread, so that a client that is slow to shake hands holds up nobody else."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        secured = self._tls.wrap_socket(request, server_side=True)
        try:
            super().finish_request(secured, client_address)
        finally:
            self.shutdown_request(secured)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that goes away is nothing to write home about; anything else is a defect of the stand-in.
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    application: Application
    server_name: str | None
    streams: bool
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        if chunked and not self.streams:
            # No client of Harbor sends one to these programs, and a body left unread would be the next request.
            self.close_connection = True
            self._send(error(411, "Length Required"))
            return
        length = None if chunked else int(self.headers.get("Content-Length") or 0)
        incoming = Incoming(self.rfile, length)
        request = Request(self.command, self.path, self.headers, incoming=incoming)
        if not self.streams:
            request.load()
        response = self.application(request)
        is_unread = not incoming.drained(_DRAINED_BYTES)
        self.close_connection = self.close_connection or is_unread
        self._send(response)
        if is_unread:
            self._linger()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _send(self, response: Response) -> None:
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if self.server_name:
            lines.append(f"Server: {self.server_name}")
        lines.append(f"Date: {self.date_time_string()}")
        announced = response.header("Content-Length")
        if response.pieces is None and announced is None and (response.body or self.command != "HEAD"):
            lines.append(f"Content-Length: {len(response.body)}")
        if response.pieces is not None and announced is None:
            # Where the length is not known, the end of the connection is the end of the body.
            self.close_connection = True
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)
        if response.pieces is not None:
            self._send_pieces(response.pieces, None if announced is None else int(announced))

    def _linger(self) -> None:
        """Without it, the end of a connection that has bytes left to read takes the answer away from the client."""
        until_s = time.monotonic() + _LINGER_S
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_S)
            while time.monotonic() < until_s and self.rfile.read1(_DRAINED_BYTES):
                pass
        except OSError:
            return

    def _send_pieces(self, pieces: Iterator[bytes], announced: int | None) -> None:
        sent = 0
        for piece in pieces:
            self.wfile.write(piece)
            sent += len(piece)
        if announced is not None and sent < announced and self.command != "HEAD":
            # Less came than was announced: the client learns it by the end of the connection.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: Harbor logs no requests either."""
