"""The few forms of answer that Harbor gives."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Response:
    """`headers` are pairs, since Set-Cookie may come twice. No Content-Length: the server adds it."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: Iterator[bytes] | None = None
    """In the place of `body`: sent as they come, with the Content-Length that is among the headers."""

    def header(self, name: str) -> str | None:
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)


class Refused(Exception):
    """Ends the handling of a request with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


TEXT = ("Content-Type", "text/plain; charset=utf-8")


def empty(status: int = 200) -> Response:
    return Response(status)


def abort(status: int, text: str = "") -> Response:
    """Text as it is."""
    return Response(status, text.encode(), [TEXT] if text else [])


def error(status: int, text: str = "") -> Response:
    """Text and a newline, as Go's http.Error writes it."""
    return Response(status, f"{text}\n".encode(), [TEXT, ("X-Content-Type-Options", "nosniff")])


def document(value: Any, *, indent: int | None = 2) -> Response:
    """JSON as Go's encoder writes it."""
    return Response(
        200, go_json(value, indent=indent).encode(), [("Content-Type", "application/json; charset=utf-8")]
    )


def page(status: int, html: bytes) -> Response:
    return Response(status, html, [("Content-Type", "text/html; charset=utf-8")])


def created(collection: str, number: int) -> Response:
    """Where the new thing is; `collection` is the target that it was posted to."""
    return Response(201, b"", [("Location", f"{collection.rstrip('/')}/{number}")])


def go_json(value: Any, *, indent: int | None = None) -> str:
    """JSON with Go's escapes: <, > and & never stand in it."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
