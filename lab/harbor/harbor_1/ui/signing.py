"""The tokens of the registry."""

from typing import Any

from ...token_key import Access, KeyUnusable, TokenKey

__all__ = ["KeyUnusable", "SigningKey"]


class SigningKey(TokenKey):
    def token(self, user: str, service: str, access: list[Access] | None, minutes: int) -> dict[str, Any]:
        """A token and how long it holds, as the token service answers. Raises KeyUnusable."""
        return self.issue({"sub": user}, service, access, minutes)
