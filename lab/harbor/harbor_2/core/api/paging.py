"""Pages of long lists, and the parameter `q` that chooses among them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ....web.request import Request
from ....web.response import Response
from ..documents import document
from ..errors import bad_request, refuse

_MOST = 100
_USUAL = 10


@dataclass(frozen=True)
class Page:
    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def page_of(request: Request) -> Page:
    """Which page is asked for; the first ten, if none is. Raises Refused with 422."""
    page = Page(_positive(request, "page", 1), _positive(request, "page_size", _USUAL))
    if page.size > _MOST:
        message = f"validation failure list:\npage_size in query should be less than or equal to {_MOST}"
        raise refuse(422, "UNPROCESSABLE_ENTITY", message)
    return page


def paged(request: Request, page: Page, items: list[Any], total: int) -> Response:
    """The items with the headers that tell how many there are, and where the neighbours are."""
    links = []
    if page.number > 1 and page.offset <= total:
        links.append(f'<{_target(request, page.number - 1, page.size)}>; rel="prev"')
    if page.number * page.size < total:
        links.append(f'<{_target(request, page.number + 1, page.size)}>; rel="next"')
    headers = [("Link", ", ".join(links))] if links else []
    return document(items, headers=[*headers, ("X-Total-Count", str(total))])


def query_of(request: Request) -> dict[str, str]:
    """What `q` asks for: `name=~lib,public=true` gives {name: ~lib, public: true}; the names in small letters.

    Raises Refused with 400.
    """
    asked = {}
    for part in filter(None, request.query.get("q", [""])[0].split(",")):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise bad_request('the query string must contain "=" and the key/value cannot be empty')
        asked[name.strip().lower()] = value.strip()
    return asked


def exact_or_like(asked: dict[str, str], name: str) -> tuple[str, str]:
    """Of a name in `q`: what must equal it, and what it must contain; one of them empty."""
    value = asked.get(name, "")
    return ("", value[1:]) if value.startswith("~") else (value, "")


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, [""])[0]
    if not text:
        return default
    if not text.lstrip("-").isdecimal():
        message = f'validation failure list:\n{name} in query must be of type int64: "{text}"'
        raise refuse(422, "UNPROCESSABLE_ENTITY", message)
    return max(1, int(text))


def _target(request: Request, number: int, size: int) -> str:
    parts = urlsplit(request.target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | {
        "page": str(number),
        "page_size": str(size),
    }
    return f"{parts.path}?{urlencode(sorted(query.items()))}"
