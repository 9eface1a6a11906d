"""HTTP requests to other parts of Harbor: no timeout once connected, as Go's client has none."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from ..web.client import CONNECT_TIMEOUT_S, Reply, exchange

__all__ = ["Reply", "send"]


def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
    """Send one request on a connection of its own.

    Raises OSError when it cannot connect, http.client.HTTPException when the answer is none.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)
    connection.connect()
    connection.sock.settimeout(None)
    return exchange(connection, method, url, headers, body)
