"""Running a program to its end."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from lab.errors import CommandFailed, Interrupted, LabError

INTERRUPTED = threading.Event()
"""Set once the user wants the lab to stop what it is doing: programs are ended, waits give up."""

_running: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()


def run(
    argv: Sequence[str],
    *,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float = 120,
) -> str:
    """Run `argv` and return what it wrote to standard output.

    `env` is added to this process's environment. The child gets a session of its own, so that a Ctrl-C reaches
    it only through `interrupt`.

    Raises CommandFailed on an exit code other than 0, Interrupted after `interrupt`, LabError when the program is
    missing or still runs after `timeout_s` seconds (it is ended then).
    """
    argv = [str(word) for word in argv]
    process = _start(argv, env, cwd)
    try:
        output, errors = process.communicate(input, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        raise LabError(f"still running after {timeout_s:g} s, ended: {' '.join(argv)}") from None
    finally:
        with _lock:
            _running.discard(process)
    if process.returncode:
        if INTERRUPTED.is_set():
            raise Interrupted(f"ended: {' '.join(argv)}")
        raise CommandFailed(argv, process.returncode, output + errors)
    return output


def interrupt() -> None:
    """End every program that is running and let nothing new start; for Ctrl-C."""
    INTERRUPTED.set()
    with _lock:
        for process in _running:
            _end(process)


def _start(
    argv: list[str], env: Mapping[str, str] | None, cwd: str | os.PathLike[str] | None
) -> subprocess.Popen[str]:
    with _lock:
        if INTERRUPTED.is_set():
            raise Interrupted(f"not started: {' '.join(argv)}")
        if not shutil.which(argv[0]):
            raise LabError(f"{argv[0]} is not installed; needed for: {' '.join(argv)}")
        process = subprocess.Popen(
            # Should this process be killed, its programs are to go with it and not to disturb the next `up`.
            ["setpriv", "--pdeathsig", "KILL", "--", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
        _running.add(process)
        return process


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself meanwhile
