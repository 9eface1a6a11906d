"""The tokens of the registry, and what they are worth when they come back."""

import time
from typing import Any

from ...token_key import ISSUER, Access, KeyUnusable, TokenKey

__all__ = ["Access", "KeyUnusable", "SigningKey"]

_SKEW_S = 60
"""By how much clocks may differ."""


class SigningKey(TokenKey):
    header = ("alg", "kid", "typ")

    def token(self, user: str, service: str, access: list[Access] | None, minutes: int) -> dict[str, Any]:
        """A token and how long it holds, as the token service answers; without a `user`, nobody's.

        Raises KeyUnusable.
        """
        issued = self.issue({"sub": user} if user else {}, service, access, minutes)
        return {"token": issued.pop("token"), "access_token": "", **issued}

    def claims(self, token: str, service: str) -> dict[str, Any] | None:
        """What a token says; None when this key has not signed it, or it holds no more, or it is for something else.

        Raises KeyUnusable.
        """
        claims = self.read(token)
        try:
            if claims is None or claims["iss"] != ISSUER:
                return None
            holds = claims["nbf"] - _SKEW_S <= time.time() < claims["exp"] + _SKEW_S
            audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            return claims if holds and service in audience else None
        except (KeyError, TypeError):
            return None
