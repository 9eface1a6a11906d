"""The shape of a disruption: prepare, inject, prove, heal. The heal comes whatever else happens."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from harbor_verify.errors import HarnessError, HealFailed
from harbor_verify.history import Recorder


class Disruption(ABC):
    """A fault, for the length of a `with` block.

        with PodKill(…) as kill:      prepared, then injected
            …                         the block may call kill.prove() itself, or leave that to its end
                                      proven, then healed, and released: the last two also after an exception

    Subclasses fill in the five steps. The history gets inject, proven, healed (`subject` is `name`).
    """

    def __init__(self, recorder: Recorder, name: str) -> None:
        """`name` is what the history and messages call it: pod-kill web-0."""
        self.name = name
        self.recorder = recorder
        self._proven = False

    @abstractmethod
    def prepare(self) -> Mapping[str, Any]:
        """See that the target is whole, and begin to watch it; what it returns goes with the inject event.

        `workload` names the subject of the watch's events, `uid` and `pod` a pod that is to go.
        Raises CannotTell when the target is not whole: it could not be told what the fault did.
        """

    @abstractmethod
    def inject(self) -> None:
        """Break it."""

    @abstractmethod
    def confirm(self) -> Mapping[str, Any]:
        """Wait, bounded, until it shows that the fault happened; return the proof. Raises DeadlinePassed."""

    @abstractmethod
    def restore(self) -> None:
        """Undo the fault, or wait, bounded, until the target has mended itself. Raises DeadlinePassed."""

    @property
    def names(self) -> Mapping[str, str]:
        """The names that pods have in the history, by UID, where they were watched; at the end of the block."""
        return {}

    @abstractmethod
    def release(self) -> None:
        """Let go of what `prepare` took; it may have come to nothing or to half."""

    def prove(self) -> None:
        """Show that the fault happened; a second call has nothing to do. Raises DeadlinePassed."""
        if not self._proven:
            self.recorder.event(self.name, "proven", self.confirm())
            self._proven = True

    def __enter__(self) -> Self:
        try:
            about = self.prepare()
        except BaseException:
            self.release()
            raise
        # Recorded before it is done: whatever follows cannot seem to have come first.
        self.recorder.event(self.name, "inject", about)
        try:
            self.inject()
        except BaseException as error:
            # It may have been injected all the same: an answer can be lost, and Ctrl-C can come at any time.
            self._heal(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Prove (after a clean block), heal, release. Raises DeadlinePassed (no proof of the fault), HealFailed."""
        if error is not None:
            self._heal(error)
            return
        try:
            self.prove()
        except BaseException as unproven:
            self._heal(unproven)
            raise
        self._heal(None)

    def _heal(self, error: BaseException | None) -> None:
        """`error` is what is being raised anyway: a failing heal is then told with it, not in its place."""
        try:
            self.restore()
            self.recorder.event(self.name, "healed")
        except HarnessError as heal_error:
            failed = HealFailed(f"{self.name} is not healed: {heal_error}")
            if error is None:
                raise failed from heal_error
            error.add_note(str(failed))
        finally:
            self.release()
