"""The shape of a disruption: prepare, inject, prove, wait for the response, heal. The heal comes whatever else happens.

Three facts are kept apart. That the fault happened is shown by the kernel or the API alone (`confirm`). That something
answered it (another server took over, Kubernetes noticed) and that all is whole again are claims: what does not come in
time is in the history, and is judged.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.errors import DeadlinePassed, HarnessError, HealFailed, OutageTooLong
from harbor_verify.history import Recorder


class Disruption(ABC):
    """A fault, for the length of a `with` block.

        with PodKill(…) as kill:      prepared, then injected
            …                         the block may call kill.prove() and kill.await_response() itself, or leave
                                      them to its end
                                      proven, answered, then healed, and released: the last two also after an
                                      exception

    Subclasses fill in the steps. The history gets, with `name` as subject:
        inject {"lasts_s", where it is to last}
        proven, or not-proven {"observed"}
        responded {…}, or not-responded {"expected", "observed"}, or response-unseen {"expected", "observed"}: it could
            not be found out; none of these where `expected_response` is empty, or the fault was not
            proven
        healed, or not-healed {"observed", "late": whether it was waited for until its deadline}
    """

    expected_response = ""
    """What is to happen while the fault lasts, as a sentence; empty: nothing need."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        """`name` is what the history and messages call it: pod-kill web-0."""
        self.name = name
        self.recorder = recorder
        self.lasting = Lasting(0)
        """It is not healed before it has lasted for so long, whoever answers it; a kind that is to last sets it."""
        self._proof_was_tried = self._is_proven = self._response_was_awaited = False

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
        """Wait, bounded, until the kernel or the API shows that the fault happened; return the proof.

        How Harbor and Kubernetes answer it is no proof. Raises DeadlinePassed.
        """

    def respond(self) -> Mapping[str, Any]:
        """Wait, bounded, for `expected_response`; return how it showed. Raises DeadlinePassed."""
        return {}

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
        if self._proof_was_tried:
            return
        self._proof_was_tried = True
        try:
            proof = self.confirm()
        except HarnessError as unproven:
            self.recorder.event(self.name, "not-proven", {"observed": str(unproven)})
            raise
        self.recorder.event(self.name, "proven", proof)
        self._is_proven = True

    def await_response(self) -> None:
        """Wait until the fault is answered, or the wait is over: the history tells which; and until it has lasted.

        Only for a fault that was proven: nothing answers another. A second call has nothing to do.
        """
        if self._is_proven:
            self._await_response()
            self.lasting.wait_out()

    def _await_response(self) -> None:
        if self._response_was_awaited or not self.expected_response:
            return
        self._response_was_awaited = True
        try:
            response = self.respond()
        except OutageTooLong:
            raise
        except HarnessError as error:
            name = "not-responded" if isinstance(error, DeadlinePassed) else "response-unseen"
            told = {"expected": self.expected_response, "observed": str(error)}
            self.recorder.event(self.name, name, told)
            return
        self.recorder.event(self.name, "responded", {"expected": self.expected_response, **response})

    def __enter__(self) -> Self:
        try:
            about = self.prepare()
        except BaseException:
            self.release()
            raise
        if self.lasting.lasts_s:
            about = {**about, "lasts_s": self.lasting.lasts_s}
        # Recorded before it is done: whatever follows cannot seem to have come first.
        self.recorder.event(self.name, "inject", about)
        self.lasting.begin()
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
        """Prove and await the response (after a clean block), heal, release.

        Raises DeadlinePassed (no proof of the fault), HealFailed.
        """
        if error is not None:
            self._heal(error)
            return
        try:
            self.prove()
            self.await_response()
        except BaseException as interrupted:
            self._heal(interrupted)
            raise
        self._heal(None)

    def _heal(self, error: BaseException | None) -> None:
        """`error` is what is being raised anyway: a failing heal is then told with it, not in its place."""
        try:
            self.restore()
            self.recorder.event(self.name, "healed")
        except HarnessError as heal_error:
            failed = HealFailed(f"{self.name} is not healed: {heal_error}")
            late = isinstance(heal_error, DeadlinePassed)
            self.recorder.event(self.name, "not-healed", {"observed": str(heal_error), "late": late})
            if error is None:
                raise failed from heal_error
            error.add_note(str(failed))
        finally:
            self.release()
