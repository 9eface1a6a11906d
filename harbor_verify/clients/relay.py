"""A port of this machine's loopback that leads to one replica, for programs that are not ours."""

import selectors
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from urllib3.util.ssltransport import SSLTransport

from harbor_verify.errors import TargetUnreachable

_PIECE_BYTES = 64 * 1024
_ATTEMPTS = 2
_MOMENT_S = 0.05
"""How long a side that has something to say is listened to: the other may have something to say, too."""
_PATIENCE_S = 60
"""How long a side may take nothing."""


class Connection(Protocol):
    """As much of a socket as is used; also of one that is a port-forward."""

    def fileno(self) -> int: ...
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
    """Bytes of each side to the other, until one of them ends; what was answered by then arrives.

    In one thread: OpenSSL lets a connection be read or written to, and never both at once.
    """
    sides = {far: near, near: far}
    try:
        with selectors.DefaultSelector() as selector:
            for side in sides:
                selector.register(side, selectors.EVENT_READ, side)
            while True:
                ready = {side for side in sides if _has_more(side)}
                ready |= {key.data for key, _ in selector.select(0 if ready else None)}
                if not all(_carry(side, sides[side]) for side in sides if side in ready):
                    return
    except (OSError, TargetUnreachable):
        # A way that breaks ends the connection, as the other side's end does.
        pass
    finally:
        far.close()


def _carry(source: Connection, sink: Connection) -> bool:
    """What came of one side to the other; whether they go on."""
    source.settimeout(_MOMENT_S)
    try:
        data = source.recv(_PIECE_BYTES)
    except TimeoutError:
        return True  # It was of TLS alone, or the rest is still on its way.
    try:
        _send(sink, data)
    except (OSError, TargetUnreachable):
        # It takes no more, as a server that has refused a body; what it said before is the answer.
        with suppress(OSError, TargetUnreachable):
            while said := sink.recv(_PIECE_BYTES):
                _send(source, said)
        return False
    return bool(data)


def _send(sink: Connection, data: bytes) -> None:
    sink.settimeout(_PATIENCE_S)
    sink.sendall(data)


def _has_more(connection: object) -> bool:
    """Whether there is something to be read that has left the network already, so that no selector tells of it."""
    if isinstance(connection, SSLTransport):
        held = connection.sslobj.pending() + connection.incoming.pending
        return held > 0 or _has_more(connection.socket)
    pending = getattr(connection, "pending", None)
    return bool(pending and pending())
