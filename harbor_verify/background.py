"""A thread beside a block of code, that ends with the block."""

import threading
from types import TracebackType
from typing import Self

_LONGEST_END_S = 2


class Background:
    """Runs `_run` for the length of the block; that is to return soon after `_stop` is set."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=_LONGEST_END_S)

    def _run(self) -> None:
        raise NotImplementedError
