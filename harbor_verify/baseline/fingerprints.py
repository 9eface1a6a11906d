"""Secrets by what tells one from another, and not by what they are."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from harbor_verify.redaction import Redaction, is_secret_name

_PREFIX = "fingerprint:"
_COST = 2**14
"""Of scrypt (RFC 7914): with blocks of 8 it takes 16 MiB, and some 50 ms."""


class Fingerprints:
    """Of one baseline. With a salt of its own, and slow to make, so that short passwords cannot be tried out."""

    def __init__(self, salt: str = "") -> None:
        """`salt`: hexadecimal, of the baseline to compare with; empty: a new one."""
        self.salt = salt or secrets.token_hex(16)
        self._made: dict[str, str] = {}

    def of(self, secret: str) -> str:
        """`fingerprint:…`; the same for the same secret under the same salt."""
        if secret not in self._made:
            made = hashlib.scrypt(secret.encode(), salt=bytes.fromhex(self.salt), n=_COST, r=8, p=1, dklen=12)
            self._made[secret] = _PREFIX + made.hex()
        return self._made[secret]

    def without_secrets(self, thing: Any, redaction: Redaction) -> Any:
        """A copy of JSON with a fingerprint in the place of what stands under a secret's name, and `[redacted]` in
        that of what is known as a secret, or looks like one.
        """
        if isinstance(thing, Mapping):
            return {
                name: self.of(value)
                if isinstance(value, str) and value and is_secret_name(str(name))
                else self.without_secrets(value, redaction)
                for name, value in thing.items()
            }
        if isinstance(thing, list | tuple):
            return [self.without_secrets(each, redaction) for each in thing]
        return redaction.text(thing) if isinstance(thing, str) else thing
