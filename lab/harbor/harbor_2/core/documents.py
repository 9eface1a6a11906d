"""JSON as the API of Harbor 2 answers it."""

from collections.abc import Iterable
from typing import Any

from ...web.response import Response, go_json

JSON = ("Content-Type", "application/json")


def document(value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """On one line, with a newline at its end."""
    return Response(status, f"{go_json(value)}\n".encode(), [JSON, *headers])


def created(location: str) -> Response:
    return Response(201, b"", [("Location", location)])
