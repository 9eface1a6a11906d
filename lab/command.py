"""Running a program to its end."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from lab.errors import CommandFailed, LabError


def run(
    argv: Sequence[str],
    *,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float = 120,
) -> str:
    """Run `argv` and return what it wrote to standard output.

    `env` is added to this process's environment. The child gets a session of its own, so that a Ctrl-C meant
    for the lab does not end it half-way.

    Raises CommandFailed on an exit code other than 0, LabError when the program is missing or runs too long.
    """
    argv = [str(word) for word in argv]
    try:
        done = subprocess.run(
            argv,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=timeout_s,
            start_new_session=True,
        )
    except FileNotFoundError as missing:
        raise LabError(f"{argv[0]} is not installed (needed for: {' '.join(argv)})") from missing
    except subprocess.TimeoutExpired as slow:
        raise LabError(f"still running after {timeout_s:g} s, ended: {' '.join(argv)}") from slow
    if done.returncode:
        raise CommandFailed(argv, done.returncode, done.stdout + done.stderr)
    return done.stdout
