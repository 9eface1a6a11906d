"""Folders of what is no run of the suites, beside those of the runs: audits, drills."""

from datetime import UTC, datetime
from pathlib import Path

from harbor_verify.errors import SettingsError
from harbor_verify.reports import folder


def make(directory: Path, kind: str) -> Path:
    """Make DIRECTORY/KIND/UTC-TIME/, for what begins now. Raises SettingsError."""
    try:
        (directory / kind).mkdir(parents=True, exist_ok=True)
        return folder.new(directory / kind, datetime.now(UTC).strftime(folder.NAMED))
    except OSError as error:
        raise SettingsError(f"--report-dir: no folder in {directory / kind} can be made: {error}") from error
