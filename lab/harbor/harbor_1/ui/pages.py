"""The pages that a browser sees. As in Harbor, one page serves all addresses and asks the API for the rest."""

from pathlib import Path

from ...web.response import Response, page
from ..version import VERSION
from .harbor import Call

_FOLDER = Path(__file__).parent / "files"
_INDEX = (_FOLDER / "index.html").read_bytes().replace(b"{version}", VERSION.encode())
_ICON = (_FOLDER / "favicon.ico").read_bytes()
_TEXT_PAGE = (_FOLDER / "text.html").read_text()


def index(_: Call) -> Response:
    return page(200, _INDEX)


def text(status: int, title: str) -> Response:
    """A page that says only `title`."""
    return page(status, _TEXT_PAGE.format(title=title, version=VERSION).encode())


def not_found() -> Response:
    return text(404, "404 - Page Not Found")


def static(path: str) -> Response | None:
    """Files and their folder, which need no session; None when `path` is none of them."""
    if path == "/favicon.ico":
        return Response(200, _ICON, [("Accept-Ranges", "bytes"), ("Content-Type", "image/x-icon")])
    return text(403, "Forbidden") if path == "/static/" else None
