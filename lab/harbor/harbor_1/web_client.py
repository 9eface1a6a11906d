"""HTTP requests to other parts of Harbor: no timeout once connected, as Go's client has none."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 30


@dataclass(frozen=True)
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
    """Send one request on a connection of its own.

    Raises OSError when it cannot connect, http.client.HTTPException when the answer is none.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)
    try:
        connection.connect()
        connection.sock.settimeout(None)
        connection.request(
            method, f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers
        )
        response = connection.getresponse()
        return Reply(response.status, response.reason, response.headers, response.read())
    finally:
        connection.close()
