"""The folder of a check, for all its files: those it makes itself, and what is collected when it does not pass."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pytest

from harbor_verify.checks import Check, check_of
from harbor_verify.errors import CheckDefinitionError
from harbor_verify.plugin.run import State


@pytest.fixture
def check_folder(request: pytest.FixtureRequest, run_state: State) -> Path:
    """The folder of the check that runs; what lies in it is evidence by itself, and named in the reports."""
    check = check_of(request.node)
    if check is None:
        raise CheckDefinitionError(f"{request.node.nodeid} is no check, and has no folder")
    folder = _folder_of(run_state.folder, check)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def files_of(run_folder: Path, check: Check) -> list[str]:
    """The files in a check's folder, relative to the run's."""
    folder = _folder_of(run_folder, check)
    return sorted(str(file.relative_to(run_folder)) for file in folder.rglob("*") if file.is_file())


def collect(state: State, check: Check, *, about: str, uids: Collection[str], since: datetime) -> list[str]:
    """Collect what shows why a check did not pass; what keeps us from writing it is returned, to be told with it."""
    try:
        state.collector.collect(_folder_of(state.folder, check), about=about, uids=uids, since=since)
    except OSError as error:
        return [f"(the evidence is incomplete: {error})"]
    return []


def _folder_of(run_folder: Path, check: Check) -> Path:
    return run_folder / "checks" / check.id
