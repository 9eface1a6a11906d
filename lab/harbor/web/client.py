"""One HTTP request to another part of Harbor, on a connection of its own."""

import http.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 30


@dataclass(frozen=True)
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] | None = None,
) -> Reply:
    """Send one request on a connection to the URL's host, and close it.

    Raises OSError, and http.client.HTTPException when the answer is none.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.reason, response.headers, response.read())
    finally:
        connection.close()
