"""How the store keeps passwords: AES in CFB mode, the initialisation vector in front, base64, a prefix."""

import base64
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_PREFIX = "<enc-v1>"
_BLOCK_BYTES = 16
_KEY_BYTES = (16, 24, 32)


class BadKey(Exception):
    """The key cannot be one; the text is Go's."""


def encrypt(text: str, key: bytes) -> str:
    """Raises BadKey."""
    vector = os.urandom(_BLOCK_BYTES)
    encryptor = _cipher(key, vector).encryptor()
    sealed = vector + encryptor.update(text.encode()) + encryptor.finalize()
    return _PREFIX + base64.b64encode(sealed).decode()


def decrypt(text: str, key: bytes) -> str:
    """What `encrypt` was given; with another key, garbage. Text without the prefix is returned. Raises BadKey."""
    if not text.startswith(_PREFIX):
        return text
    sealed = base64.b64decode(text.removeprefix(_PREFIX))
    decryptor = _cipher(key, sealed[:_BLOCK_BYTES]).decryptor()
    return (decryptor.update(sealed[_BLOCK_BYTES:]) + decryptor.finalize()).decode(errors="replace")


def _cipher(key: bytes, vector: bytes) -> Cipher:
    if len(key) not in _KEY_BYTES:
        raise BadKey(f"crypto/aes: invalid key size {len(key)}")
    return Cipher(algorithms.AES(key), modes.CFB(vector))
