"""Tests that need the lab: it is stood up, or mended, for every file of tests that asks for it."""

from pathlib import Path

import pytest

from lab import cluster, profiles
from tests.lab.matrix.plugin import Matrix
from tests.lab.matrix.record import FOLDER


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix",
        choices=["resume", "fresh"],
        help="keep what each test has seen and draw it; resume: do not run again what passed with this very code",
    )
    parser.addoption("--matrix-dir", type=Path, default=FOLDER, help="where to keep it")


def pytest_configure(config: pytest.Config) -> None:
    if way := config.getoption("matrix", None):
        config.pluginmanager.register(Matrix(config.getoption("matrix_dir"), resume=way == "resume"))


@pytest.fixture(scope="module")
def lab() -> cluster.Target:
    """A lab that is up, with every Harbor; a file of tests before this one may have left it broken or down."""
    return cluster.up(profiles.EVERY)
