"""The lab's long-running programs."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import DaemonDied
from lab.machines import cgroups
from lab.machines.machine import Machine, record_process, recorded_process, spawn
from lab.waiting import NotYet, wait_until

_FEWER_COLLECTIONS = {"GOGC": "400"}
"""Programs in Go collect garbage at five times what is in use, not at twice: processors are scarce here, not memory."""


@dataclass(frozen=True)
class Daemon:
    """A program that runs on a machine until it is stopped; its output is in `log`."""

    name: str
    machine: Machine
    argv: tuple[str | os.PathLike[str], ...]
    env: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def log(self) -> Path:
        return self.machine.folder / "log" / f"{self.name}.log"

    @property
    def _process_file(self) -> Path:
        return self.machine.folder / "daemons" / self.name

    def pid(self) -> int | None:
        """Its process number, or None when it does not run."""
        return recorded_process(self._process_file)

    def start(self) -> bool:
        """Start it unless it runs, and let it go on if it was paused; returns whether it had to be started."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGCONT)
            return False
        process = spawn(
            [*self.machine.entering(), *map(str, self.argv)],
            group=cgroups.daemons_group(self.machine.name),
            log=self.log,
            env=_FEWER_COLLECTIONS | self.env,
        )
        record_process(self._process_file, process.pid)
        return True

    def ensure(self, probe: Callable[[], object], *, deadline_s: float = 60, interval_s: float = 0.1) -> None:
        """Start it unless it runs, and wait until `probe` no longer raises NotYet, CommandFailed or an OSError.

        Raises DaemonDied, with the end of its log, when it ends meanwhile, NotReady after `deadline_s` seconds.
        """
        fresh = self.start()

        def ready() -> None:
            nonlocal fresh
            if self.pid() is None:
                if fresh:
                    raise DaemonDied(
                        f"{self.name} on {self.machine.name} ended; the end of {self.log}:\n{self.log_tail()}"
                    )
                fresh = self.start()  # the one that we found running was on its way out
            probe()

        what = f"{self.name} on {self.machine.name} is ready"
        wait_until(what, ready, deadline_s=deadline_s, interval_s=interval_s)

    def stop(self, *, signal_number: int = signal.SIGTERM, deadline_s: float = 20) -> None:
        """End it and wait until it has ended; does nothing when it does not run."""

        def gone() -> None:
            if self.pid() is not None:
                raise NotYet("it still runs")

        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal_number)
            wait_until(f"{self.name} has ended", gone, deadline_s=deadline_s, interval_s=0.05)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its output."""
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
            if self.log.exists()
            else "(no log)"
        )
