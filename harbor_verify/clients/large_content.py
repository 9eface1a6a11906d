"""Bytes for a large layer, made and sent piece by piece: they are never in memory as a whole."""

import hashlib
import secrets
from collections.abc import Iterator
from functools import cached_property

_PIECE_BYTES = 256 * 1024


class LargeContent:
    """`size_bytes` of bytes that nobody has seen before; the same each time one goes through them.

    As the body of a request it is sent with its length; `iter(content)` is sent in chunks, without one.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes, self._noise = size_bytes, secrets.token_bytes(_PIECE_BYTES)

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Each piece begins with its number: pieces that change places are another content."""
        for number, begin in enumerate(range(0, self._size_bytes, _PIECE_BYTES)):
            piece = number.to_bytes(8, "big") + self._noise[8:]
            yield piece[: self._size_bytes - begin]

    @cached_property
    def digest(self) -> str:
        """sha256:… of all of it."""
        hashed = hashlib.sha256()
        for piece in self:
            hashed.update(piece)
        return f"sha256:{hashed.hexdigest()}"
