"""Where a run's files go: DIRECTORY/runs/UTC-TIME/, with DIRECTORY/latest leading to the newest."""

import importlib.util
from datetime import datetime
from pathlib import Path

from harbor_verify.reports import json_file, junit, markdown
from harbor_verify.reports.model import Run

NAMED = "%Y-%m-%dT%H-%M-%SZ"
"""How a folder is named after a moment (UTC)."""


def make(directory: Path, started: datetime) -> Path:
    """Make the folder of a run that started then (UTC), and let `latest` lead to it. Raises OSError."""
    runs = directory / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    folder = new(runs, started.strftime(NAMED))
    link = directory / "latest"
    partial = directory / f".latest-{folder.name}"
    partial.symlink_to(folder.relative_to(directory))
    partial.replace(link)
    return folder


def write_data(run: Run, folder: Path) -> None:
    """Write what programs read, each file whole or not at all. Raises OSError for all that could not be written."""
    writers = ((json_file.write, "report.json"), (junit.write, "junit.xml"), (markdown.write, "summary.md"))
    failed: list[OSError] = []
    for write_one, name in writers:
        try:
            write_one(run, folder / name)
        except OSError as error:
            failed.append(error)
    if failed:
        # On a full disk a short one may have found room.
        raise OSError(failed[0].errno, "; ".join(map(str, failed)))


def write(run: Run, folder: Path) -> None:
    """Write every file of the run. Raises OSError.

    What keeps report.html from being made goes to `run.notes`: it changes no verdict, and stops no run.
    """
    write_data(run, folder)
    if importlib.util.find_spec("matplotlib") is None:
        run.notes.append(
            "report.html is not made: its plots need matplotlib (pip install 'harbor-verify[plots]')"
        )
        json_file.write(run, folder / "report.json")
        return
    try:
        # Only here: what draws plots takes half a second to import.
        from harbor_verify.reports import html_file

        html_file.write(run, folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, the results are there, and it is told
        run.notes.append(f"report.html could not be made: {error!r}; try harbor-verify report html {folder}")
        json_file.write(run, folder / "report.json")


def new(runs: Path, name: str) -> Path:
    """Make a folder of that name, or with a number behind it where it is taken. Raises OSError."""
    for suffix in ["", *(f"-{count}" for count in range(2, 100))]:
        folder = runs / f"{name}{suffix}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{runs / name}: a hundred runs of one second")
