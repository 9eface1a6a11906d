"""Finding runs that are kept: by name or path, the earlier ones of a target."""

from datetime import datetime
from pathlib import Path
from typing import Any

from harbor_verify.reports import json_file
from harbor_verify.reports.errors import ReportError
from harbor_verify.reports.model import Run

DIRECTORY = Path("reports")
"""Where runs are kept unless --report-dir says otherwise: here, in the current folder."""
FILE = "report.json"
_DAY = len("2026-01-31")
"""A run is called by the time when it began."""


def find(name: str, directory: Path = DIRECTORY) -> Path:
    """The folder of the run that is called so: a path, a name under DIRECTORY/runs, or `latest`.

    Raises ReportError when there is none.
    """
    for place in (directory / "latest" if name == "latest" else None, directory / "runs" / name, Path(name)):
        if place is not None and place.is_dir():
            return place.resolve()
    known = names(directory)
    newest = f"the newest that is kept there is {known[-1]}" if known else "none is kept there"
    raise ReportError(f"there is no run {name}, neither as a path nor in {directory / 'runs'}; {newest}")


def names(directory: Path = DIRECTORY) -> list[str]:
    """The names of all runs that are kept, the oldest first."""
    runs = directory / "runs"
    return sorted(folder.name for folder in runs.iterdir() if folder.is_dir()) if runs.is_dir() else []


def load(folder: Path) -> Run:
    """The run in a folder. Raises ReportError."""
    return json_file.read(folder / FILE)


def earlier(run: Run, folder: Path, *, at_most: int) -> list[Run]:
    """Earlier runs of the same target that lie beside this one's folder and have checks in common with it.

    The oldest first, `at_most` of them. What cannot be read (a run that was killed) is passed over.
    """
    earlier_runs: list[Run] = []
    ids = {result.id for result in run.results}
    beside = sorted((other for other in folder.resolve().parent.iterdir() if other.is_dir()), reverse=True)
    for other in beside:
        if other.name >= folder.resolve().name or not (other / FILE).is_file():
            continue
        try:
            candidate = load(other)
        except ReportError:
            continue
        shared = ids & {result.id for result in candidate.results}
        # A run of a few checks says little about one of all.
        if same_target(run, candidate) and 2 * len(shared) >= len(ids) and shared:
            earlier_runs.append(candidate)
            if len(earlier_runs) == at_most:
                break
    return earlier_runs[::-1]


Looks = list[tuple[datetime, dict[str, Any]]]
"""When something was measured, and what: figures by name."""


def measured_earlier(run: Run, folder: Path, check: str, *, days: int) -> Looks:
    """What a check measured in earlier runs of the same target that lie beside this one's folder: the last of each day,
    the newest first, of so many days. What cannot be read is passed over.
    """
    found: dict[str, tuple[datetime, dict[str, Any]]] = {}
    for other in sorted((each for each in folder.resolve().parent.iterdir() if each.is_dir()), reverse=True):
        day = other.name[:_DAY]
        if other.name >= folder.resolve().name or day in found or not (other / FILE).is_file():
            continue
        try:
            candidate = load(other)
        except ReportError:
            continue
        results = [result for result in candidate.results if result.id == check and result.measured]
        if same_target(run, candidate) and results:
            found[day] = (results[0].started, results[0].measured)
            if len(found) == days:
                break
    return list(found.values())


def same_target(one: Run, other: Run) -> bool:
    """Whether both are about the same Harbor."""
    return (one.url, one.namespace, one.profile) == (other.url, other.namespace, other.profile)
