"""HTTP requests to other parts of Harbor: no timeout once connected, as Go's client has none."""

import http.client
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..web.client import CONNECT_TIMEOUT_S, Reply, exchange
from . import internal_tls

__all__ = ["Reply", "connect", "describe", "send"]


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
