"""The body of a request while it comes in."""

from collections.abc import Iterator
from typing import BinaryIO

PIECE_BYTES = 256 * 1024
_LINE_BYTES = 4096


class Incoming:
    """`length` is the Content-Length, None where the body comes in chunks.

    What stands here raises ConnectionError when the client breaks off.
    """

    def __init__(self, stream: BinaryIO, length: int | None) -> None:
        self._stream = stream
        self.length = length
        self._left = length or 0
        self.is_read = length == 0

    def pieces(self) -> Iterator[bytes]:
        """The body, up to 256 KiB at a time."""
        if self.is_read:
            return
        if self.length is None:
            yield from self._chunks()
        while self._left:
            piece = self._stream.read1(min(self._left, PIECE_BYTES))  # type: ignore[attr-defined]
            if not piece:
                raise ConnectionError("the client broke off in the middle of a body")
            self._left -= len(piece)
            yield piece
        self.is_read = True

    def rest(self) -> bytes:
        return b"".join(self.pieces())

    def drained(self, most_bytes: int) -> bool:
        """Read what is left, if it is no more than that; whether the next request can begin."""
        if self.is_read:
            return True
        if self.length is None or self._left > most_bytes:
            return False
        self.rest()
        return True

    def _chunks(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            while size:
                piece = self._stream.read1(min(size, PIECE_BYTES))  # type: ignore[attr-defined]
                if not piece:
                    raise ConnectionError("the client broke off in the middle of a chunk")
                size -= len(piece)
                yield piece
            self._stream.readline(_LINE_BYTES)
        while self._stream.readline(_LINE_BYTES).strip():
            pass  # fields after the last chunk

    def _chunk_size(self) -> int:
        line = self._stream.readline(_LINE_BYTES)
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise ConnectionError(f"no size of a chunk: {line!r}") from None
