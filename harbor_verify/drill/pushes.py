"""Pushes that go on while a copy is taken: each an image never seen before, with when it was acknowledged."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError

_TOLD_AFTER = 20
"""Refusals one after the other. It goes on: a Harbor that was made read-only for the copy takes pushes again, which
are then not in it.
"""


@dataclass(frozen=True)
class Push:
    """One that was acknowledged. `acknowledged_s`: on this machine's clock that never goes back."""

    repository: str
    tag: str
    digest: str
    acknowledged_s: float


class Pushes:
    """A thread that pushes, within the `with` block or until `stop`."""

    def __init__(
        self,
        open_registry: Callable[[], Registry],
        repository: str,
        run_id: str,
        *,
        per_s: float,
        tell: Callable[[str], None],
    ) -> None:
        """`open_registry` is called for each push."""
        self._open_registry, self._repository, self._run_id = open_registry, repository, run_id
        self._every_s, self._tell = 1 / per_s, tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._push_on, name="pushes", daemon=True)
        self._acknowledged: list[Push] = []
        self.refused: list[str] = []

    def __enter__(self) -> "Pushes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No push begins any more; waits for the one under way."""
        self._over.set()
        self._thread.join()

    @property
    def acknowledged(self) -> list[Push]:
        """As they were acknowledged, one after the other."""
        return list(self._acknowledged)

    def one(self) -> Push:
        """Push an image now. Raises AnswerError."""
        image = Image.make(secrets.token_bytes(64), run_id=self._run_id)
        tag = f"at-{time.time_ns()}"
        digest = self._open_registry().push(image, self._repository, tag)
        return Push(self._repository, tag, digest, time.monotonic())

    def _push_on(self) -> None:
        in_a_row = 0
        while not self._over.wait(self._every_s):
            try:
                self._acknowledged.append(self.one())
                in_a_row = 0
            except AnswerError as refusal:
                self.refused.append(str(refusal))
                in_a_row += 1
                if in_a_row == _TOLD_AFTER:
                    self._tell(f"no push was taken {in_a_row} times in a row; it is tried again: {refusal}")
