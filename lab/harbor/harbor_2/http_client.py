"""HTTP requests to other parts of Harbor: no timeout once connected, as Go's client has none.

A `Transport` keeps connections for the next request, as Go's does; without one each request has its own.
"""

import http.client
import socket
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from ..idle_connections import IdleConnections
from ..web.client import CONNECT_TIMEOUT_S, Reply, exchange
from . import internal_tls

__all__ = ["Reply", "Transport", "connect", "describe", "send"]

_KEPT = 2
_KEPT_FOR_S = 90.0
_LOOKED_AFTER_EVERY_S = 5.0
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


class Transport:
    """Connections to the host of one URL: two are kept when nobody needs them, for 90 s, unless told otherwise.

    Nothing has a timeout: a request on a connection whose other side has vanished waits until TCP gives up.
    """

    def __init__(self, url: str, *, kept_for_s: float = _KEPT_FOR_S) -> None:
        self._kept: IdleConnections[http.client.HTTPConnection] = IdleConnections(
            lambda: connect(url),
            lambda connection: connection.close(),
            lambda connection: connection.sock,
            _KEPT,
            idle_s=kept_for_s,
            reap_every_s=_LOOKED_AFTER_EVERY_S,
        )

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Reply:
        """The whole answer. Raises as the function `send` does."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"

        def write(connection: http.client.HTTPConnection) -> bool:
            connection.sock.settimeout(timeout_s)
            connection.request(method, target, body, dict(headers or {}))
            return True

        answer, end = self.ask(write, is_repeatable=method in _REPEATABLE and not body)
        try:
            return Reply(answer.status, answer.reason, answer.headers, answer.read())
        finally:
            end()

    def ask(
        self, write: Callable[[http.client.HTTPConnection], bool], *, is_repeatable: bool
    ) -> tuple[http.client.HTTPResponse, Callable[[], None]]:
        """Have a request written; the answer, and what is to be called when its body was read, or is not wanted.

        `write` tells whether it wrote the whole of it. One that `is_repeatable` is tried again where the other side
        had ended a connection that was kept. Raises as the function `send` does, and what `write` raises.
        """
        while True:
            kept = self._kept.take()
            connection = kept.connection
            try:
                is_whole = write(connection)
                answer = connection.getresponse()
            except ConnectionError:
                connection.close()
                if not (is_repeatable and kept.is_reused):
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                break

        def end() -> None:
            # Whatever of the answer is left would be taken for the next one.
            if is_whole and answer.isclosed() and connection.sock is not None:
                self._kept.give_back(kept)
            else:
                connection.close()

        return answer, end


def connect(url: str, timeout_s: float | None = None) -> http.client.HTTPConnection:
    """A connection to the host of an http or https URL.

    It waits `timeout_s` for each answer, for ever with None; but a host that is gone is noticed after two minutes.
    Raises OSError.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=CONNECT_TIMEOUT_S, context=internal_tls.trusted()
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_S)
    connection.connect()
    connection.sock.settimeout(timeout_s)
    for option, value in (
        (socket.TCP_NODELAY, 1),
        (socket.TCP_KEEPIDLE, 15),
        (socket.TCP_KEEPINTVL, 15),
        (socket.TCP_KEEPCNT, 9),
    ):
        connection.sock.setsockopt(socket.IPPROTO_TCP, option, value)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def send(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] | None = None,
    timeout_s: float | None = None,
) -> Reply:
    """Send one request on a connection of its own.

    Raises OSError when it cannot connect, http.client.HTTPException when the answer is none.
    """
    return exchange(connect(url, timeout_s), method, url, headers, body)


def describe(method: str, url: str, failure: Exception) -> str:
    """As Go words a request that failed."""
    parts = urlsplit(url)
    if isinstance(failure, OSError) and failure.strerror:
        reason = f"dial tcp {parts.netloc}: connect: {failure.strerror.lower()}"
    else:
        reason = str(failure) or type(failure).__name__
    return f'{method.title()} "{url}": {reason}'
