"""The operator's own commands: how they copy Harbor, and bring a copy up somewhere else."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harbor_verify.errors import HarnessError
from harbor_verify.settings import PREFIX

_EVERY_S = 10
_TAIL = 20


class CommandFailed(HarnessError):
    """It ended with another exit code than 0, or took too long."""


def run(
    what: str,
    command: str,
    folder: Path,
    environment: Mapping[str, str],
    *,
    timeout_s: float,
    tell: Callable[[str], None],
) -> float:
    """Run a command of the shell to its end, and return how many seconds it took.

    What it prints goes to WHAT.log in the folder (mode 0600). It is given no setting of the suite's: the
    administrator's password is among these. It is ended with all that it started when it takes longer, or at Ctrl-C.
    Raises CommandFailed with the end of what it printed.
    """
    log = folder / f"{what}.log"
    log.touch(mode=0o600)
    own = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    begun_s = told_s = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            shell=True,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            while (code := _wait(process)) is None:
                now_s = time.monotonic()
                if now_s - begun_s > timeout_s:
                    raise CommandFailed(
                        f"{what}: it took longer than {timeout_s:g} s: {command}{_end_of(log)}"
                    )
                if now_s - told_s >= _EVERY_S:
                    told_s = now_s
                    tell(f"{what}: it runs for {now_s - begun_s:.0f} s")
        finally:
            _end(process)
    if code:
        raise CommandFailed(f"{what}: exit code {code} from: {command}{_end_of(log)}")
    return time.monotonic() - begun_s


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(0.2)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
    return "".join(f"\n  {line}" for line in lines)
