"""The load beside clients at work: a process of its own, for the length of a block."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from harbor_verify.errors import CannotTell, NeedMissing
from harbor_verify.history import Recorder
from harbor_verify.load.plan import Done, Plan
from harbor_verify.waiting import NotYet, wait_until

LOAD = "load"
"""Events of this name in the history, each second: what was done since the beginning (harbor_verify/load/plan.py)."""
_ENDS_WITHIN_S = 15
_LAST_LINES = 5


def require_locust() -> None:
    """Raises NeedMissing, also where it is in this very process, whose probes would then measure gevent."""
    if "locust" in sys.modules:
        raise NeedMissing(
            "Locust is loaded into this process, by its plugin of pytest: run with -p no:locust"
        )
    if importlib.util.find_spec("locust") is None:
        raise NeedMissing("--load needs Locust, which is not installed: pip install 'harbor-verify[load]'")


def _import_path() -> str:
    """This very package first, wherever the run was started."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(filter(None, paths))


class Load:
    """Begins with the block, and ends with it; `done` says what it came to, also when it ended by itself."""

    def __init__(self, plan: Plan, recorder: Recorder, *, argv: Sequence[str] = ()) -> None:
        """`argv`: another program that does it."""
        self._plan, self._recorder = plan, recorder
        self._argv = list(argv) or [sys.executable, "-m", "harbor_verify.load.engine"]
        self._thread = threading.Thread(target=self._read, name="load", daemon=True)
        self.done = Done()

    def __enter__(self) -> Self:
        self._errors: IO[str] = tempfile.TemporaryFile("w+")
        # Ctrl-C is for this process; that one ends when its standard input does, also when this one is killed.
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        self._thread.start()
        # Where it has ended at once, `await_work` says why.
        with suppress(BrokenPipeError):
            self._input.write(f"{self._plan.line()}\n")
            self._input.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._errors.closed:
            return
        with suppress(BrokenPipeError):
            self._input.close()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(_ENDS_WITHIN_S)
        self._errors.close()

    def await_work(self, *, timeout_s: float) -> None:
        """Wait until something was pulled and pushed. Raises CannotTell where it ended, DeadlinePassed."""

        def at_work() -> None:
            if why := self._why_it_ended():
                raise CannotTell(f"the load ended at once, {why}")
            if not (self.done.pulls and self.done.pushes):
                raise NotYet(f"{self.done.pulls} pulls, {self.done.pushes} pushes; {self.done.error}")

        wait_until("the load is at work", at_work, deadline="converge_timeout_s", timeout_s=timeout_s)

    def end(self) -> CannotTell | None:
        """End it now; why it had ended before, so that the clients were not under load to the end."""
        why = self._why_it_ended()
        self._close()
        return CannotTell(f"the load ended too early, {why}") if why else None

    def _why_it_ended(self) -> str:
        """What it said last where it ended by itself; empty as long as it runs."""
        if self._process.poll() is None:
            return ""
        self._errors.seek(0)
        said = " / ".join(self._errors.read().splitlines()[-_LAST_LINES:])
        return f"exit code {self._process.returncode}: {said}"

    @property
    def _input(self) -> IO[str]:
        assert self._process.stdin
        return self._process.stdin

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            try:
                self.done = Done.parse(line)
            except (ValueError, TypeError):
                continue
            self._recorder.event("suite", LOAD, dict(self.done.measured))
