"""Pages of long lists."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ....web.request import Request
from ....web.response import Refused, Response, abort, document

_MOST = 500


@dataclass(frozen=True)
class Page:
    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def page_of(request: Request) -> Page:
    """Which page is asked for; the first of the largest size, if none is."""
    return Page(_positive(request, "page", 1), min(_positive(request, "page_size", _MOST), _MOST))


def paged(request: Request, page: Page, items: list[Any], total: int) -> Response:
    """The items with the headers that tell how many there are, and where the neighbours are."""
    response = document(items)
    response.headers.append(("X-Total-Count", str(total)))
    links = []
    if page.number > 1 and page.offset <= total:
        links.append(f'<{_target(request, page.number - 1, page.size)}>; rel="prev"')
    if page.number * page.size < total:
        links.append(f'<{_target(request, page.number + 1, page.size)}>; rel="next"')
    if links:
        response.headers.append(("Link", ", ".join(links)))
    return response


def _positive(request: Request, name: str, default: int) -> int:
    text = request.text(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise Refused(abort(400, f"invalid {name}"))
    return int(text)


def _target(request: Request, number: int, size: int) -> str:
    query = request.query | {"page": [str(number)], "page_size": [str(size)]}
    return f"{urlsplit(request.target).path}?{urlencode(sorted(query.items()), doseq=True)}"
