"""The suite: how long it takes to verify each of the lab's Harbors, breaking nothing, and what it needs itself."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.processes import Used, watch
from harbor_verify.reports import runs
from harbor_verify.reports.model import Run
from lab import cluster, profiles, settings
from tests.lab.running import HARMLESS

_MOST_S, _MOST_MIB, _MOST_PERCENT = 60, 200, 10
_SLOWEST = 10


@dataclass(frozen=True)
class Times:
    """Where the seconds of a run go. `discovery_s` ends where the first check begins; a moment in which two checks run
    counts once in `checks_s`.
    """

    wall_s: float
    discovery_s: float
    checks_s: float

    @property
    def overhead_percent(self) -> float:
        """Of the wall time, what is neither discovery nor checks: start, between checks, clean-up, report."""
        return 100 * (1 - (self.discovery_s + self.checks_s) / self.wall_s)


def measure(rounds: int) -> list[Figure]:
    """Verify each Harbor of a lab that is up, `rounds` times.

    Raises RuntimeError when a verification is not green.
    """
    cluster.up(profiles.EVERY)
    return [figure for name in profiles.ALL for figure in _figures(name, rounds)]


def _figures(profile: str, rounds: int) -> list[Figure]:
    used, times = [], []
    for _ in range(rounds):
        each, run = _verify(profile)
        used.append(each)
        times.append(times_of(run, each.wall_s))
    tell_slowest(run)
    what = f"suite: all of {profile} that breaks nothing, and takes no minutes by itself"
    return [
        Figure(what, "s", [each.wall_s for each in times], limit=_MOST_S),
        Figure(f"{what}: discovery", "s", [each.discovery_s for each in times]),
        Figure(f"{what}: checks", "s", [each.checks_s for each in times]),
        Figure(f"{what}: neither", "%", [each.overhead_percent for each in times], limit=_MOST_PERCENT),
        Figure(f"{what}: CPU of the runner", "s", [each.cpu_s for each in used]),
        Figure(f"{what}: peak memory of the runner", "MiB", [u.memory_mib for u in used], limit=_MOST_MIB),
        Figure(
            f"{what}: peak memory of the largest program that it starts ({used[-1].other_name or 'none'})",
            "MiB",
            [each.other_mib for each in used],
        ),
    ]


def _verify(profile: str) -> tuple[Used, Run]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        used = watch(
            [
                *(sys.executable, "-m", "pytest", "suites", "--lab", "--lab-as-it-is"),
                *(f"--profile={profile}", f"--report-dir={folder}"),
                *(f"--check={id}" for id in sorted(HARMLESS)),
            ],
            settings.REPOSITORY,
        )
        if not (folder / "latest").is_dir():
            raise RuntimeError(f"{profile}: the verification did not begin (exit code {used.code})")
        run = runs.load(runs.find("latest", folder))
    if used.code:
        wrong = [f"{each.id}: {each.verdict.value}" for each in run.results if each.offenders or each.message]
        raise RuntimeError(f"{profile} is not green (exit code {used.code}): {'; '.join(wrong)}")
    return used, run


def times_of(run: Run, wall_s: float) -> Times:
    """Of a run whose process took `wall_s`. Raises ValueError where no check ran."""
    spans = sorted(
        (each.started.timestamp(), each.started.timestamp() + each.duration_s)
        for each in run.results
        if each.duration_s > 0
    )
    if not spans:
        raise ValueError("no check ran")
    checks_s, ended = 0.0, spans[0][0]
    for begins, ends in spans:
        checks_s += max(0.0, ends - max(begins, ended))
        ended = max(ended, ends)
    return Times(wall_s, spans[0][0] - run.started.timestamp(), checks_s)


def tell_slowest(run: Run) -> None:
    """The checks that take longest, on the terminal."""
    slowest: Sequence = sorted(run.results, key=lambda each: each.duration_s, reverse=True)[:_SLOWEST]
    for each in slowest:
        sys.stderr.write(f"{each.duration_s:6.1f} s  {each.id}\n")
