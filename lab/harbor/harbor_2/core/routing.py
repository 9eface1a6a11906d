"""How a path finds its handler."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...web.response import Response
from .harbor import Call

Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def route(method: str, path: str, handler: Handler) -> Route:
    """`path` with {names}, each one segment of the path as it was sent (still encoded).

    {name_id} takes digits only. The handler finds them in `request.parameters`, decoded once.
    """

    def part(match: re.Match[str]) -> str:
        expression = r"\d+" if match[1].endswith("id") else "[^/]+"
        return f"(?P<{match[1]}>{expression})"

    return Route(method, re.compile(re.sub(r"\{(\w+)\}", part, path)), handler)
