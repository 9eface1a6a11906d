"""Protection against requests that another site lets a browser make: a cookie and a header that belong together.

A token is the cookie's secret under a mask that is another one each time, so it serves as often as one likes. The
cookie is signed with CSRF_KEY: with the same key on every core it is good on all of them, with different keys only
where it was made.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from email.utils import formatdate

from ... import log
from ...web.request import Request
from ...web.response import Response
from ..version import at_least
from .errors import error
from .sessions import COOKIE as SESSION_COOKIE

COOKIE, HEADER = "_gorilla_csrf", "X-Harbor-CSRF-Token"
_ANSWERED_HEADER = "X-Harbor-Csrf-Token"
_LIFETIME_S = 43200
_SECRET_BYTES, _KEY_LENGTH, _MAC_BYTES = 32, 32, 32
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITHOUT_SESSION = ("/v2/", "/api/", "/service/")


def key_from(text: str) -> bytes | None:
    """CSRF_KEY; what is not of 32 characters is replaced by something random, from 2.13 on only where it is empty."""
    if len(text) == _KEY_LENGTH:
        return text.encode()
    if at_least(2, 13) and text:
        log.error(
            f"Invalid CSRF key length from the environment: {text}. "
            f"Please ensure the key length is {_KEY_LENGTH} characters."
        )
        return None
    if not at_least(2, 13):
        log.warning(f"Invalid CSRF key from environment: {text}, generating random key...")
    return secrets.token_bytes(_KEY_LENGTH)


def covers(request: Request) -> bool:
    """Clients that keep no cookie of a session may use the API and the registry without a token."""
    return bool(request.cookie(SESSION_COOKIE)) or not request.path.startswith(_WITHOUT_SESSION)


@dataclass
class Verdict:
    """`headers` come with every answer, the refusal included."""

    headers: list[tuple[str, str]]
    refusal: Response | None


class Protection:
    def __init__(self, key: bytes | None, *, secure: bool = False) -> None:
        """`key` None: there is none that can be used, and each request that is covered fails.

        `secure`: browsers are to send the cookie with TLS only, as where the external URL is https. (The session's
        cookie has no such word there: core does not know of the TLS in front of it.)
        """
        self._key, self._secure = key, secure

    def judge(self, request: Request) -> Verdict:
        """Whether a request that is covered may be answered."""
        if self._key is None:
            return Verdict([], error(500, "UNKNOWN", "internal server error"))
        headers: list[tuple[str, str]] = []
        secret = self._opened(request.cookie(COOKIE))
        if secret is None:
            secret = secrets.token_bytes(_SECRET_BYTES)
            headers.append(("Set-Cookie", self._cookie(secret)))
        headers.append((_ANSWERED_HEADER, _masked(secret)))
        if request.method in _UNSAFE and (refusal := _refusal(request, secret)):
            return Verdict(headers, refusal)
        return Verdict([*headers, ("Vary", "Cookie")], None)

    def _cookie(self, secret: bytes) -> str:
        signed = b"%d|%s" % (int(time.time()), base64.b64encode(secret))
        value = base64.urlsafe_b64encode(signed + b"|" + self._mac(signed)).rstrip(b"=").decode()
        expires = formatdate(time.time() + _LIFETIME_S, usegmt=True)
        secure = "; Secure" if self._secure else ""
        attributes = f"Path=/; Expires={expires}; Max-Age={_LIFETIME_S}; HttpOnly{secure}; SameSite=Strict"
        return f"{COOKIE}={value}; {attributes}"

    def _opened(self, value: str) -> bytes | None:
        """The secret of a cookie, None of one that was not made here or is too old."""
        try:
            data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            signed, mac = data[: -_MAC_BYTES - 1], data[-_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(signed)):
                return None
            made, _, secret = signed.partition(b"|")
            return base64.b64decode(secret) if time.time() - int(made) < _LIFETIME_S else None
        except (ValueError, binascii.Error):
            return None

    def _mac(self, signed: bytes) -> bytes:
        # Without a key nothing is protected, and nobody asks.
        return hmac.digest(self._key or b"", COOKIE.encode() + b"|" + signed, hashlib.sha256)


def _refusal(request: Request, secret: bytes) -> Response | None:
    token = request.headers.get(HEADER, "")
    if not token:
        return error(403, "FORBIDDEN", "CSRF token not found in request")
    if not hmac.compare_digest(_unmasked(token), secret):
        return error(403, "FORBIDDEN", "CSRF token invalid")
    return None


def _masked(secret: bytes) -> str:
    mask = secrets.token_bytes(len(secret))
    return base64.b64encode(mask + _xor(mask, secret)).decode()


def _unmasked(token: str) -> bytes:
    try:
        data = base64.b64decode(token, validate=True)
    except (ValueError, binascii.Error):
        return b""
    half = len(data) // 2
    return _xor(data[:half], data[half:])


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))
