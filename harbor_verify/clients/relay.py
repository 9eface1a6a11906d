"""A port of this machine's loopback that leads to one replica, for programs that are not ours."""

import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Protocol

from harbor_verify.errors import TargetUnreachable

_PIECE_BYTES = 64 * 1024
_ATTEMPTS = 2
_LOOK_S = 0.5
"""How long a side is listened to before it is looked whether the other has gone."""


class Connection(Protocol):
    """As much of a socket as is used; also of one that is a port-forward."""

    def settimeout(self, timeout_s: float | None) -> None: ...
    def recv(self, most_bytes: int) -> bytes: ...
    def sendall(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Relay:
    """Listens from its making until `close`; each connection to it leads to one that `connect` opens."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """`connect` may raise what it likes: it is tried once more, and then the connection to here is closed."""
        self.failure: str | None = None
        """Why the way to the replica did not come about, the last time that it was needed; None: it did.

        That nothing listens there is no such failure: it is the replica's answer.
        """

        class Handler(socketserver.BaseRequestHandler):
            def handle(handler) -> None:
                _join(handler.request, self._connected(connect))

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _connected(self, connect: Callable[[], Connection]) -> Connection:
        for attempt in range(_ATTEMPTS):
            try:
                connection = connect()
                self.failure = None
                return connection
            except ConnectionRefusedError:
                self.failure = None
                raise
            except Exception as failed:
                if attempt + 1 == _ATTEMPTS:
                    self.failure = str(failed) or type(failed).__name__
                    raise
        raise AssertionError("there is at least one attempt")

    @property
    def address(self) -> str:
        """HOST:PORT."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Take no more connections; those that are open end with their clients."""
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever connected sees it: its connection ends."""


def _join(near: socket.socket, far: Connection) -> None:
    ended = threading.Event()
    try:
        # Neither side blocks for ever: reading and writing go on in two threads, and TLS allows that only then.
        for each in (near, far):
            each.settimeout(_LOOK_S)
        back = threading.Thread(target=_carry, args=(far, near, ended), daemon=True)
        back.start()
        _carry(near, far, ended)
        back.join()
    finally:
        far.close()


def _carry(source: Connection, sink: Connection, ended: threading.Event) -> None:
    """Bytes of one side to the other, until either has ended."""
    try:
        while not ended.is_set():
            try:
                data = source.recv(_PIECE_BYTES)
            except TimeoutError:
                continue
            if not data:
                break
            sink.sendall(data)
    except (OSError, TargetUnreachable):
        # A way that breaks ends the connection, as the other side's end does.
        pass
    finally:
        ended.set()
