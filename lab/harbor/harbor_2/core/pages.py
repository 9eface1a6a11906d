"""What a person sees who comes to core itself; the portal is another program."""

from ...web.response import Response, page
from ..version import VERSION

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>Harbor {version}</p></body>
</html>
"""


def text(status: int, title: str) -> Response:
    """A page that says only `title`."""
    return page(status, _PAGE.format(title=title, version=VERSION).encode())


def not_found() -> Response:
    return text(404, "404 - Page Not Found")
