"""Requests that go through to the registry, and its answers back: in pieces, so that no blob lies in memory."""

from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse

from .... import log
from ....web.incoming import PIECE_BYTES
from ....web.response import Response
from ..harbor import Call
from ..registry_client import RegistryFailure

_NOT_FORWARDED = {
    "authorization",
    "connection",
    "cookie",
    "content-length",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_NOT_RETURNED = {"connection", "date", "keep-alive", "transfer-encoding"}


def through(call: Call, target: str = "") -> Response:
    """What the registry answers to the request, or to the same for another `target`.

    A registry that does not answer is a 502 without a word.
    """
    request = call.request
    # Host among them: the registry builds its Location headers with what the client calls Harbor.
    headers = {
        name: ", ".join(request.headers.get_all(name) or ())
        for name in request.headers
        if name.lower() not in _NOT_FORWARDED
    }
    incoming = request.incoming
    if incoming is None or incoming.is_read:
        pieces: Iterator[bytes] = iter([request.body] if request.body else [])
        length: int | None = len(request.body)
    else:
        pieces, length = incoming.pieces(), incoming.length
    if length is None:
        headers["Transfer-Encoding"] = "chunked"
    elif length or request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(length)
    try:
        answer, end = call.harbor.registry.open(
            request.method, target or request.target, headers, _counted(call, pieces)
        )
    except RegistryFailure as failure:
        log.error(f"http: proxy error: {failure}")
        return Response(502)
    found = [(name, value) for name, value in answer.getheaders() if name.lower() not in _NOT_RETURNED]
    if request.method == "HEAD" or answer.status in (204, 304) or answer.length == 0:
        answer.read()  # nothing, and it knows then that it is at its end
        end()
        return Response(answer.status, b"", found)
    return Response(answer.status, b"", found, pieces=_pieces(answer, end))


def _counted(call: Call, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        call.sent_bytes += len(piece)
        yield piece


def _pieces(answer: HTTPResponse, end: Callable[[], None]) -> Iterator[bytes]:
    """Ends early where the registry breaks off; the client sees that less came than was announced."""
    try:
        while piece := answer.read(PIECE_BYTES):
            yield piece
    except (OSError, HTTPException) as failure:
        log.error(f"http: proxy error: {failure}")
    finally:
        end()
