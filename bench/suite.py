"""The suite: how long it takes to verify each of the lab's Harbors."""

import subprocess
import sys
import time

from bench.figures import Figure
from lab import cluster, profiles, settings


def measure(rounds: int) -> list[Figure]:
    """Verify each Harbor of a lab that is up, `rounds` times, breaking nothing.

    Raises CalledProcessError when a verification is not green.
    """
    cluster.up(profiles.EVERY)
    return [
        Figure(f"suite: all of {name} that breaks nothing", "s", [_verify_s(name) for _ in range(rounds)])
        for name in profiles.ALL
    ]


def _verify_s(profile: str) -> float:
    begun = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "suites", "--lab", f"--profile={profile}"),
            *("-m", "not disruption and not builds"),
        ],
        cwd=settings.REPOSITORY,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - begun
