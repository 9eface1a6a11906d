"""How it goes while something is broken, in one line that comes and goes."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from harbor_verify.history import Recorder

_EVERY_S = 0.5


class Live:
    """For the length of the block, says twice a second: the phase, how many operations there were, how many failed."""

    def __init__(self, recorder: Recorder, show: Callable[[str], None]) -> None:
        """`show` puts a line in the place of the last one; an empty one takes it away."""
        self._recorder, self._show = recorder, show
        self.phase = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=2)
        self._show("")

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            done, failed = self._recorder.counts()
            self._show(f"{self.phase}: {done} operations, {failed} without a good answer")
