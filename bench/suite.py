"""The suite: how long a whole verification of the lab takes."""

import subprocess
import sys
import time

from bench.figures import Figure
from lab import cluster, settings


def measure(rounds: int) -> list[Figure]:
    """Verify a lab that is up, `rounds` times; raises CalledProcessError when a verification is not green."""
    cluster.up()
    seconds = []
    for _ in range(rounds):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "pytest", "suites", "--lab"],
            cwd=settings.REPOSITORY,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds.append(time.monotonic() - begun)
    return [Figure("suite: all checks on a lab that is up", "s", seconds)]
