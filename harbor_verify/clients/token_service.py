"""Harbor's token service: what a docker client asks when the registry sends it there.

Its 200 proves nothing: a wrong password, or a dead database, is answered with a token that allows nothing.
Look at what a token grants.
"""

import base64
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harbor_verify.clients.harbor import Credentials, basic
from harbor_verify.clients.http import HttpClient, expect
from harbor_verify.errors import UnexpectedAnswer

PATH = "/service/token"
SERVICE = "harbor-registry"
_USED_FOR = 0.75
"""The part of its life after which a token is replaced: what is asked with it may take a while."""


@dataclass(frozen=True)
class Token:
    """A JSON web token. `text` is a secret for as long as it lives."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def key_id(self) -> str:
        return str(self.header.get("kid", ""))

    @property
    def grants(self) -> dict[str, set[str]]:
        """Actions by `type:name`, as the token's `access` gives them; those without an action are left out."""
        actions_by_scope: dict[str, set[str]] = {}
        for entry in self.claims.get("access") or ():
            if entry.get("actions"):
                actions_by_scope.setdefault(f"{entry.get('type')}:{entry.get('name')}", set()).update(
                    entry["actions"]
                )
        return actions_by_scope

    @property
    def lifetime_s(self) -> float:
        """Seconds from its issue to its end; infinite where it does not say."""
        try:
            return float(self.claims["exp"]) - float(self.claims["iat"])
        except (KeyError, TypeError, ValueError):
            return math.inf


class KeptTokens:
    """Tokens by scope, each asked for once, and anew before it ends, as docker clients do."""

    def __init__(self, ask: Callable[[str], Token]) -> None:
        self._ask = ask
        self._kept: dict[str, tuple[Token, float]] = {}

    def __call__(self, scope: str) -> str:
        """A token for this scope (several with a space between). Raises what asking raises."""
        token, until_s = self._kept.get(scope, (None, 0.0))
        if token is None or time.monotonic() >= until_s:
            asked_s = time.monotonic()
            token = self._ask(scope)
            self._kept[scope] = token, asked_s + token.lifetime_s * _USED_FOR
        return token.text


def fetch(http: HttpClient, credentials: Credentials | None, *scopes: str, path: str = PATH) -> Token:
    """A token for these scopes (repository:p/r:push,pull; a text may hold several); without credentials as anybody.

    `path` may be a whole URL: the realm of a challenge. Raises UnexpectedAnswer, NoAnswer.
    """
    answer = http.get(
        path,
        params=[("service", SERVICE), *(("scope", each) for scope in scopes for each in scope.split())],
        auth=basic(credentials),
    )
    expect(answer, 200)
    try:
        text = answer.json()["token"]
        header, claims = (json.loads(_decode(part)) for part in text.split(".")[:2])
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        # The body is not quoted: it may be a token.
        raise UnexpectedAnswer(
            f"GET {path} at {http.name} → 200 without a token in it", status=200
        ) from wrong
    return Token(text, header, claims)


def with_broken_signature(token: str) -> str:
    """The same token, but not signed by the key that it names: who takes it looks at no signature."""
    signed, _, signature = token.rpartition(".")
    broken = bytes(byte ^ 0xFF for byte in _decode(signature))
    return f"{signed}.{base64.urlsafe_b64encode(broken).rstrip(b'=').decode()}"


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
