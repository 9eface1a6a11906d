"""How passwords and secrets of robots are kept: as salted hashes, as Harbor's own core keeps them."""

import hashlib
import hmac
import secrets
import string

_ROUNDS = 4096
_BYTES = 16
_SALT_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits


def hashed(password: str, salt: str) -> str:
    """PBKDF2 with HMAC-SHA256, 32 hexadecimal digits."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS, _BYTES).hex()


def matches(password: str, salt: str, kept: str) -> bool:
    return bool(kept) and hmac.compare_digest(hashed(password, salt), kept)


def new_salt() -> str:
    """32 letters and digits."""
    return random_text(_SALT_LENGTH)


def random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
