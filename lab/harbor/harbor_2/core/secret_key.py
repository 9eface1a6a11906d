"""Passwords of other registries, as they are kept in the database: under the key that all cores must share.

Nothing tells a wrong key from a right one: what is opened with another key is some other text.
"""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MARK = "<enc-v1>"
_BLOCK_BYTES = 16


class SecretKeyUnusable(Exception):
    """There is no key, or it has not the length of one."""


def sealed(file: Path, text: str) -> str:
    """Raises SecretKeyUnusable."""
    start = os.urandom(_BLOCK_BYTES)
    cipher = _cipher(file, start).encryptor()
    return _MARK + base64.b64encode(start + cipher.update(text.encode()) + cipher.finalize()).decode()


def opened(file: Path, text: str) -> str:
    """Raises SecretKeyUnusable."""
    data = base64.b64decode(text.removeprefix(_MARK))
    cipher = _cipher(file, data[:_BLOCK_BYTES]).decryptor()
    return (cipher.update(data[_BLOCK_BYTES:]) + cipher.finalize()).decode(errors="replace")


def _cipher(file: Path, start: bytes) -> Cipher:
    """The file is read each time."""
    try:
        return Cipher(algorithms.AES(file.read_bytes().strip()), modes.CFB(start))
    except (OSError, ValueError) as failure:
        raise SecretKeyUnusable(str(failure)) from None
