"""Ending a run before its end, from any thread: what is broken is mended, what was made removed, and it is reported."""

import signal
import threading
from types import FrameType


class Stop:
    """`reason` is a sentence; empty: nothing ends the run."""

    def __init__(self) -> None:
        self.reason = ""
        self._lock = threading.Lock()
        self._ends = False
        self._timer: threading.Timer | None = None
        # A CI server that cancels a job sends SIGTERM: what was made is to be removed then, too.
        signal.signal(signal.SIGTERM, _interrupt)

    def now(self, reason: str) -> None:
        """Interrupt what the main thread does, as Ctrl-C would."""
        with self._lock:
            if self._ends or self.reason:
                return
            self.reason = reason
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGTERM)

    def after_check(self, reason: str) -> None:
        """End the run when the check that runs has come to its end by itself."""
        with self._lock:
            self.reason = self.reason or reason

    def after(self, delay_s: float, reason: str) -> None:
        """`now`, so many seconds from now."""
        self._timer = threading.Timer(max(0.0, delay_s), self.now, [reason])
        self._timer.daemon = True
        self._timer.start()

    def off(self) -> None:
        """The run ends: nothing interrupts its clean-up any more but Ctrl-C."""
        with self._lock:
            self._ends = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self._timer:
            self._timer.cancel()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
