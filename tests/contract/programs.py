"""Programs that the contract tests start on loopback, and end again.

What tests that were killed left running is found and ended by the next: each program inherits an open file, in memory
only, whose name tells which tests started it. A variable would not do: redis-server and PostgreSQL's workers write
over their environment. Nor would the signal at a parent's death: a program that changes its user loses it.
"""

import contextlib
import functools
import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.machines.machine import start_time

HOST = "127.0.0.1"
MARK = re.compile(r"/memfd:harbor-contract-tests/(?P<namespace>.+)/(?P<pid>\d+)/(?P<started>\d+) \(deleted\)")
"""How the kernel shows the marking file of a process: where its tests count processes, and which of these they are."""


class ProgramFailed(Exception):
    """A program did not do what it was started for; the text ends with its log."""


def free_port() -> int:
    """None that the kernel may give to a connection before the program listens on it (it takes them from 32768 on)."""
    while True:
        port = random.randrange(16384, 30000)
        with socket.socket() as probe, contextlib.suppress(OSError):  # somebody else's
            probe.bind((HOST, port))
            return port


def wait(condition: Callable[[], bool], what: str, deadline_s: float = 30) -> None:
    """Raises ProgramFailed with `what` when the condition does not come true."""
    until_s = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > until_s:
            raise ProgramFailed(f"not within {deadline_s} s: {what}")
        time.sleep(0.02)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def namespace() -> Path:
    """In which process numbers mean the same."""
    return Path("/proc/self/ns/pid").readlink()


@functools.cache
def marking_file() -> int:
    """What every program inherits, and with it whatever it starts."""
    pid = os.getpid()
    return os.memfd_create(f"harbor-contract-tests/{namespace()}/{pid}/{start_time(pid)}")


def is_leftover(pid: int) -> bool:
    """Whether tests started it that run no more."""
    for link in open_files(pid):
        if mark := MARK.fullmatch(link):
            same_numbers = mark["namespace"] == str(namespace())
            return same_numbers and start_time(int(mark["pid"])) != mark["started"]
    return False


def open_files(pid: int) -> Iterator[str]:
    """None of a process that has ended, or is another user's."""
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                yield str(file.readlink())


def kill_leftovers() -> bool:
    """Whether there were any."""
    found = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if is_leftover(int(entry.name))]
    for pid in found:
        with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as process:
            if is_leftover(pid):  # and no newer process of the same number
                signal.pidfd_send_signal(process.fileno(), signal.SIGKILL)
    return bool(found)


def end_leftovers() -> None:
    """End all that tests that run no more have left."""
    wait(lambda: not kill_leftovers(), "what killed tests left has ended")


@dataclass
class Program:
    """A program that listens on `port` of loopback, and on `other_ports`; started again, it keeps its folder and its
    log."""

    name: str
    argv: Sequence[str | Path]
    port: int
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    other_ports: Sequence[int] = ()
    process: subprocess.Popen | None = None

    @property
    def log_file(self) -> Path:
        return self.folder / f"{self.name}.log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_end(self) -> str:
        """What it has logged last: why it did otherwise than it should, mostly."""
        return self.log()[-3000:]

    def launch(self) -> None:
        """Start it and wait for nothing."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                pass_fds=(marking_file(),),
                env={"PATH": os.environ["PATH"], **self.environment},
            )

    def start(self, deadline_s: float = 30) -> None:
        """Start it and wait for its ports."""
        self.launch()
        self.wait_open(deadline_s)

    def wait_open(self, deadline_s: float = 30) -> None:
        def opened() -> bool:
            if self.process is None or self.process.poll() is not None:
                raise ProgramFailed(f"{self.name} has ended:\n{self.log_end()}")
            return all(is_open(port) for port in ports)

        ports = (self.port, *self.other_ports)
        wait(opened, f"{self.name} listens on {ports}; its log:\n{self.log_end()}", deadline_s)

    def exit_code(self, deadline_s: float = 10) -> int:
        """Wait for its end; negative is the signal that ended it."""
        assert self.process is not None
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(f"{self.name} goes on:\n{self.log_end()}") from None

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it if it runs; also one that is frozen."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
