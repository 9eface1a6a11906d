"""How it goes while something is broken, in one line that comes and goes."""

from collections.abc import Callable
from types import TracebackType

from harbor_verify.background import Background
from harbor_verify.history import Recorder

_EVERY_S = 0.5


class Live(Background):
    """For the length of the block, says twice a second: the phase, how many operations there were, how many failed."""

    def __init__(self, recorder: Recorder, show: Callable[[str], None]) -> None:
        """`show` puts a line in the place of the last one; an empty one takes it away."""
        super().__init__("live line")
        self._recorder, self._show = recorder, show
        self.phase = ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, where)
        self._show("")

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            done, failed = self._recorder.counts()
            self._show(f"{self.phase}: {done} operations, {failed} without a good answer")
