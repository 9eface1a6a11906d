"""How passwords are kept."""

import hashlib
import secrets

_ROUNDS = 4096
_BYTES = 16


def hashed(password: str, salt: str) -> str:
    """PBKDF2 with HMAC-SHA1, 32 hexadecimal digits."""
    return hashlib.pbkdf2_hmac("sha1", password.encode(), salt.encode(), _ROUNDS, _BYTES).hex()


def new_salt() -> str:
    """32 characters."""
    return secrets.token_hex(16)
