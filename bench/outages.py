"""Outages: what clients saw in the newest runs of `make verify-failover` that are kept, as median and spread."""

from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure
from harbor_verify.reports import runs
from harbor_verify.reports.model import Run, Verdict

_AREA = "failover"
_MEASURED = {"outage_ms": "longest outage", "slowest_ok_ms": "slowest good answer"}


def measure(rounds: int) -> list[Figure]:
    """Of the newest `rounds` runs in reports/ that broke something. Raises RuntimeError where there are fewer."""
    return figures(newest(rounds, runs.DIRECTORY))


def newest(count: int, directory: Path) -> list[Run]:
    """So many runs of the whole area that have ended, the newest first. Raises RuntimeError, ReportError."""
    found: list[Run] = []
    for name in reversed(runs.names(directory)):
        if len(found) == count:
            break
        if (directory / "runs" / name / runs.FILE).is_file():
            run = runs.load(directory / "runs" / name)
            if not run.stopped and {each.area for each in run.results} == {_AREA} and len(run.results) > 1:
                found.append(run)
    if len(found) < count:
        raise RuntimeError(f"{len(found)} whole runs of `make verify-failover` are kept, not {count}")
    return found


def figures(of: Sequence[Run]) -> list[Figure]:
    """By check, in alphabetical order; what did not pass in a run is not counted."""
    values: dict[tuple[str, str], list[float]] = {}
    for run in of:
        for result in run.results:
            for name in _MEASURED.keys() & result.measured.keys() if result.verdict is Verdict.PASS else ():
                values.setdefault((result.id, name), []).append(result.measured[name])
    return [
        Figure(f"{id}, {len(measured)} times: {_MEASURED[name]}", "ms", measured)
        for (id, name), measured in sorted(values.items())
    ]
