"""The registry behind core, which knows one user only: core."""

import base64
import http.client
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urljoin

from .. import http_client
from ..http_client import Reply

_TEMPORARY_REDIRECT = 307


class RegistryFailure(Exception):
    """The registry does not answer; the text says why."""


class RegistryClient:
    def __init__(self, url: str, username: str, password: str) -> None:
        """`url` without a slash at the end."""
        self.url = url
        self._transport = http_client.Transport(url)
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._authorization = f"Basic {credentials}"

    def send(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """For what is small: the answer, whatever its status. `target` begins with /v2/. Raises RegistryFailure.

        Where that is the way to an object store: what this answers, which is not told who core is.
        """
        url = f"{self.url}{target}"
        try:
            reply = self._transport.send(method, url, self._with_credentials(headers), body)
            if reply.status != _TEMPORARY_REDIRECT:
                return reply
            url = urljoin(url, reply.headers["Location"])
            return http_client.send(method, url, headers)
        except (OSError, http.client.HTTPException) as failure:
            raise RegistryFailure(http_client.describe(method, url.partition("?")[0], failure)) from failure

    def open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        pieces: Iterable[bytes] = (),
    ) -> tuple[http.client.HTTPResponse, Callable[[], None]]:
        """Send a request whose body is `pieces`, and leave the body of the answer to be read.

        `headers` tell the body's length or that it is chunked. Whoever has read the answer, or does not want it, calls
        what comes with it. Raises RegistryFailure, and what `pieces` raises.
        """
        has_body = "Transfer-Encoding" in headers or "Content-Length" in headers

        def write(connection: http.client.HTTPConnection) -> bool:
            connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in self._with_credentials(headers).items():
                connection.putheader(name, value)
            connection.endheaders()
            return _send_pieces(connection, pieces, chunked="Transfer-Encoding" in headers)

        try:
            return self._transport.ask(write, is_repeatable=not has_body)
        except (OSError, http.client.HTTPException) as failure:
            raise RegistryFailure(http_client.describe(method, f"{self.url}{target}", failure)) from failure

    def _with_credentials(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "Authorization": self._authorization}


def _send_pieces(connection: http.client.HTTPConnection, pieces: Iterable[bytes], *, chunked: bool) -> bool:
    """Whether all of them were sent: it may have answered before the body's end."""
    for piece in pieces:
        try:
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        except (BrokenPipeError, ConnectionResetError):
            return False
    if chunked:
        connection.send(b"0\r\n\r\n")
    return True
