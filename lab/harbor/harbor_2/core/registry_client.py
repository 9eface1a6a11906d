"""The registry behind core, which knows one user only: core."""

import base64
import http.client
from collections.abc import Iterable, Mapping
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
            reply = http_client.send(method, url, self._with_credentials(headers), body)
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
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request whose body is `pieces`, and leave the body of the answer to be read.

        `headers` tell the body's length or that it is chunked. The caller closes the connection. Raises
        RegistryFailure, and what `pieces` raises.
        """
        url = f"{self.url}{target}"
        try:
            connection = http_client.connect(url)
        except OSError as failure:
            raise RegistryFailure(http_client.describe(method, url, failure)) from failure
        try:
            connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in self._with_credentials(headers).items():
                connection.putheader(name, value)
            chunked = "Transfer-Encoding" in headers
            connection.endheaders()
            self._send_pieces(connection, pieces, chunked=chunked)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as failure:
            connection.close()
            raise RegistryFailure(http_client.describe(method, url, failure)) from failure
        except BaseException:
            connection.close()
            raise

    def _send_pieces(
        self, connection: http.client.HTTPConnection, pieces: Iterable[bytes], *, chunked: bool
    ) -> None:
        for piece in pieces:
            try:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            except (BrokenPipeError, ConnectionResetError):
                return  # it has answered before the body's end
        if chunked:
            connection.send(b"0\r\n\r\n")

    def _with_credentials(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "Authorization": self._authorization}
