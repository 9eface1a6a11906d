"""Exchanges with Harbor 2: what was asked and answered, without what differs from run to run.

The same functions make them of a recording of the real programs and of what the stand-in answers, so that both can
be compared.
"""

import base64
import binascii
import json
import re
from typing import Any

from tests.contract.comparison import Exchange

Headers = list[tuple[str, str]]

USERS = {
    "admin": "Harbor12345",
    "harbor_registry_user": "harbor_registry_password",
}
SLOW_S = 1.4
"""From this time on, an answer counts as held back (a wrong password costs 1.5 s)."""
CORE_SECRET, JOBSERVICE_SECRET = "coreSecret1234ab", "jobSecret1234567"

_KEPT_HEADERS = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Range",
    "Content-Type",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Link",
    "Location",
    "Range",
    "Vary",
    "Www-Authenticate",
    "X-Content-Type-Options",
    "X-Total-Count",
)
_FIXED = ("0" * 32, "1" * 32, "2" * 32, "f" * 32, "abc", "cache:cfgs")
"""Sessions that nobody was given: they stand in a request as they are."""
_SID = re.compile(r"\bsid=([^;]*)")
_CSRF = re.compile(r"_gorilla_csrf=[\w=-]+")
_UPLOAD = re.compile(r"^/v2/\S+/blobs/uploads/[0-9a-f-]{36}\?_state=[\w%-]+")
_ADDRESS = r"(?:[\w.-]+|\d+\.\d+\.\d+\.\d+):\d{2,5}"
_VOLATILE = (
    (re.compile(r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"eyJ[\w-]+\.[\w-]*\.[\w-]+"), "<jwt>"),
    (re.compile(r"_state=[\w%-]+"), "_state=<state>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"v2\.(12\.4|15\.2)-[\w-]+"), "<version>"),
    (re.compile(rf"(https?://){_ADDRESS}"), r"\1<address>"),
    (re.compile(rf"dial tcp {_ADDRESS}"), "dial tcp <address>"),
    (re.compile(r"(/api/v2\.0/[\w/]+/)\d+$"), r"\1<id>"),
)
_VOLATILE_KEYS = {
    "access_token": "<token>",
    "current_time": "<time>",
    "expires_at": "<time>",
    "heartbeat_at": "<time>",
    "id": "<id>",
    "issued_at": "<time>",
    "secret": "<secret>",
    "started_at": "<time>",
    "token": "<token>",
    "worker_pool_id": "<id>",
}


def asked(method: str, target: str, headers: Headers, body: str | None, sessions: dict[str, str]) -> Exchange:
    """The request of an exchange; `sessions` tells in which exchange a session was given.

    Keys besides `request`: `host`, `as` (whose password), `secret`, `bearer`, `cookie`, `csrf`, `with` (other headers),
    `body`. In them, {NAME} is the session that the exchange NAME was given, {login} one of the administrator, {csrf}
    and {token} a cookie and a token that belong together, {location} where the upload goes on.
    """
    exchange: Exchange = {"request": f"{method} {_UPLOAD.sub('{location}', target)}"}
    others = {}
    for name, value in headers:
        match name:
            case "Host":
                if value in ("harbor.example", "core:8080"):
                    exchange["host"] = value
            case "Authorization":
                exchange |= _who(value)
            case "Cookie":
                exchange["cookie"] = _cookie_asked(value, sessions)
            case "X-Harbor-CSRF-Token":
                exchange["csrf"] = "{token}" if len(value) == 88 else value
            case "User-Agent" | "Content-Length":
                pass
            case "Accept" if value == "*/*":
                pass
            case _:
                others[name] = value
    if others:
        exchange["with"] = others
    if body:
        exchange["body"] = body
    return exchange


def answered(status: int, headers: Headers, body: str, elapsed_s: float) -> Exchange:
    """The answer of an exchange: `status`, `headers`, `cookies`, `csrf_token`, `answer`, `slow`."""
    exchange: Exchange = {"status": status}
    kept = {name: _stable(value) for name, value in headers if name in _KEPT_HEADERS}
    if kept:
        exchange["headers"] = dict(sorted(kept.items()))
    if cookies := [_cookie_answered(value) for name, value in headers if name == "Set-Cookie"]:
        exchange["cookies"] = sorted(cookies)
    if any(name.lower() == "x-harbor-csrf-token" for name, _ in headers):
        exchange["csrf_token"] = True
    if body:
        exchange["answer"] = content(body)
    if elapsed_s > SLOW_S:
        exchange["slow"] = True
    return exchange


def shape(exchange: Exchange) -> Exchange:
    """Without the values in JSON: where only the form is the same from run to run."""
    shaped = dict(exchange)
    if isinstance(shaped.get("answer"), dict | list):
        shaped["answer"] = _types(shaped["answer"])
    if "headers" in shaped:
        volatile = ("X-Total-Count", "Location", "Link")
        shaped["headers"] = {
            name: "<any>" if name in volatile else value for name, value in shaped["headers"].items()
        }
    return shaped


def content(body: str) -> Any:
    """JSON parsed, of a page only that it is one, else text; what is volatile replaced by its name."""
    if body.startswith("(an HTML page") or "<html" in body:
        return {"page": True}
    try:
        return _stable(json.loads(body))
    except ValueError:
        return _stable(body)


def credentials(who: str) -> str:
    """The header for `as`: a user, or user:password."""
    name, _, password = who.partition(":")
    return "Basic " + base64.b64encode(f"{name}:{password or USERS[name]}".encode()).decode()


def claims(token: str) -> dict[str, Any]:
    """What a token says; nothing where it is none."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _who(header: str) -> Exchange:
    kind, _, shown = header.partition(" ")
    if kind == "Bearer":
        found = claims(shown)
        if not found:
            return {"bearer": shown}
        scopes = [
            f"{entry['type']}:{entry['name']}:{','.join(sorted(entry['actions']))}"
            for entry in found.get("access") or []
        ]
        return {"bearer": " ".join([found.get("sub") or "nobody", *scopes])}
    if kind == "Harbor-Secret":
        names = {CORE_SECRET: "core", JOBSERVICE_SECRET: "jobservice"}
        return {"secret": names.get(shown, shown)}
    try:
        name, _, password = base64.b64decode(shown, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return {"with": {"Authorization": header}}
    return {"as": name if USERS.get(name) == password else f"{name}:{password}"}


def _cookie_asked(value: str, sessions: dict[str, str]) -> str:
    def session(match: re.Match[str]) -> str:
        sid = match[1]
        return match[0] if sid in _FIXED else f"sid={{{sessions.get(sid, 'login')}}}"

    return _CSRF.sub("_gorilla_csrf={csrf}", _SID.sub(session, value))


def _cookie_answered(value: str) -> str:
    if re.fullmatch(r"sid=[0-9a-f]{32}; Path=/; HttpOnly", value):
        return "new sid"
    if re.fullmatch(r"sid=; Path=/; Expires=[^;]+ GMT; Max-Age=0; HttpOnly", value):
        return "no sid"
    pattern = r"_gorilla_csrf=[\w=-]+; Path=/; Expires=[^;]+ GMT; Max-Age=43200; HttpOnly; SameSite=Strict"
    return "new csrf" if re.fullmatch(pattern, value) else value


def _stable(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _stable(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(value) if key == "actions" else [_stable(each) for each in value]
    if key in _VOLATILE_KEYS and isinstance(value, int | str):
        return _VOLATILE_KEYS[key]
    if key == "error" and isinstance(value, str):
        return "<error>"
    if isinstance(value, str):
        for pattern, name in _VOLATILE:
            value = pattern.sub(name, value)
    return value


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _types(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_types(value[0])] if value else []
    return "null" if value is None else type(value).__name__
