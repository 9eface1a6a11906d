"""Exchanges with Harbor: what was asked and answered, without what differs from run to run.

The same functions make them of a recording of the real programs and of what the stand-in answers, so that both can
be compared.
"""

import base64
import json
import re
from typing import Any

from tests.contract.comparison import Exchange

USERS = {
    "admin": "Harbor12345",
    "dev1": "Passw0rd1",
}
SLOW_S = 1.4
"""From this time on, an answer counts as held back (a wrong password costs 1.5 s)."""

_KEPT_HEADERS = ("Content-Type", "Link", "Location", "X-Content-Type-Options", "X-Total-Count")
_NEW_SESSION = re.compile(r"beegosessionID=[0-9a-f]{32}; Path=/; HttpOnly")
_NO_SESSION = re.compile(r"beegosessionID=; Path=/; Expires=[^;]+ GMT; Max-Age=0; HttpOnly")
_PAGE = re.compile(r"\(an HTML page of \d+ characters, title '(.*)'; left out\)")
_TITLE = re.compile(r"<title>(.*)</title>")
_VOLATILE = (
    (re.compile(r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<token>"),
)
_VOLATILE_KEYS = {
    "free": "<bytes>",
    "harbor_version": "<version>",
    "id": "<id>",
    "signatures": "<signatures>",
    "size": "<bytes>",
    "total": "<bytes>",
}


def asked(method: str, target: str, headers: dict[str, str], body: str | None) -> Exchange:
    """The request of an exchange: `request`, and where they are there `as`, `cookie`, `media_type`, `body`."""
    exchange: Exchange = {"request": f"{method} {target}"}
    if credentials := headers.get("Authorization"):
        exchange["as"] = _who(credentials)
    for name, key in (("Cookie", "cookie"), ("Accept-Encoding", "encoding"), ("Content-Type", "media_type")):
        if name in headers:
            exchange[key] = headers[name]
    if body:
        exchange["body"] = body
    return exchange


def answered(status: int, headers: list[tuple[str, str]], body: str, elapsed_s: float) -> Exchange:
    """The answer of an exchange: `status`, `headers`, `cookies`, `answer`, `slow`."""
    exchange: Exchange = {"status": status}
    kept = {name: value for name, value in headers if name in _KEPT_HEADERS}
    if kept:
        exchange["headers"] = dict(sorted(kept.items()))
    cookies = [_cookie(value) for name, value in headers if name == "Set-Cookie"]
    if cookies:
        exchange["cookies"] = cookies
    if body and not kept.get("Content-Type", "").startswith("image/"):
        exchange["answer"] = content(body)
    if elapsed_s > SLOW_S:
        exchange["slow"] = True
    return exchange


def shape(exchange: Exchange) -> Exchange:
    """Without the values in JSON: where only the form is the same from run to run."""
    shaped = dict(exchange)
    if isinstance(shaped.get("answer"), dict | list) and "page" not in shaped["answer"]:
        shaped["answer"] = _types(shaped["answer"])
    if "headers" in shaped:
        volatile = ("X-Total-Count", "Location", "Link")
        shaped["headers"] = {
            name: "<any>" if name in volatile else value for name, value in shaped["headers"].items()
        }
    return shaped


def content(body: str) -> Any:
    """JSON parsed, of a page its title, else text; what is volatile replaced by its name."""
    if page := _PAGE.fullmatch(body) or ("<html" in body and _TITLE.search(body)):
        return {"page": page[1]}
    try:
        return _stable(json.loads(body))
    except ValueError:
        return _stable(body)


def _who(credentials: str) -> str:
    """admin, or user:password where the password is not the user's; what cannot be read stays as it is."""
    kind, _, encoded = credentials.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return credentials
    if kind != "Basic":
        return credentials
    return name if USERS.get(name) == password else f"{name}:{password}"


def credentials(who: str) -> str:
    """The header that `_who` was made of."""
    if who.startswith(("Basic ", "Bearer ")):
        return who
    name, _, password = who.partition(":")
    return "Basic " + base64.b64encode(f"{name}:{password or USERS[name]}".encode()).decode()


def _cookie(value: str) -> str:
    if _NEW_SESSION.fullmatch(value):
        return "new session"
    return "no session" if _NO_SESSION.fullmatch(value) else value


def _stable(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _stable(each, name) for name, each in value.items()}
    if isinstance(value, list) and key not in _VOLATILE_KEYS:
        return _in_order([_stable(each) for each in value])
    if key in _VOLATILE_KEYS and isinstance(value, int | list | str):
        return _VOLATILE_KEYS[key]
    if key == "password" and re.fullmatch(r"[0-9a-f]{32}", str(value)):
        return "<hash>"
    if isinstance(value, str):
        for pattern, name in _VOLATILE:
            value = pattern.sub(name, value)
    return value


def _in_order(items: list[Any]) -> list[Any]:
    """Tags by name: the registry gives them as they lie in its folder."""
    if all(isinstance(item, dict) and "digest" in item and "name" in item for item in items):
        return sorted(items, key=lambda item: item["name"])
    return items


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _types(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_types(value[0])] if value else []
    return "null" if value is None else type(value).__name__
