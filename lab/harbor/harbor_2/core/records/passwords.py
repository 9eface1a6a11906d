"""How passwords and secrets of robots are kept: as salted hashes, as Harbor's own core keeps them."""

import hashlib
import hmac
import secrets
import string

from ...version import at_least

SHA256, PBKDF2_SHA256 = "sha256", "pbkdf2_sha256"
"""Harbor's names of ways to hash, which differ in the rounds alone; robots' secrets are always hashed in the first."""
OF_USERS = PBKDF2_SHA256 if at_least(2, 15) else SHA256
"""The way of new passwords of users; old ones stay as they are."""
_ROUNDS = {SHA256: 4096, PBKDF2_SHA256: 60_000}
"""Of the second Harbor itself takes ten times as many, 0.1 s of a processor; the lab has two for everything."""
_BYTES = 16
_SALT_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits


def hashed(password: str, salt: str, way: str = SHA256) -> str:
    """PBKDF2 with HMAC-SHA256, 32 hexadecimal digits."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS[way], _BYTES).hex()


def matches(password: str, salt: str, kept: str, way: str = SHA256) -> bool:
    return bool(kept) and hmac.compare_digest(hashed(password, salt, way), kept)


def new_salt() -> str:
    """32 letters and digits."""
    return random_text(_SALT_LENGTH)


def random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
