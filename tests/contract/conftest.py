"""Of the contract tests of every Harbor."""

import pytest

from tests.contract import programs


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> None:
    """What contract tests that were killed left running is ended before anything is started."""
    programs.end_leftovers()
