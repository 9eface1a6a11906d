"""Tests that need the lab: it is stood up, or mended, for every file of tests that asks for it."""

import pytest

from lab import cluster, profiles


@pytest.fixture(scope="module")
def lab() -> cluster.Target:
    """A lab that is up, with every Harbor; a file of tests before this one may have left it broken or down."""
    return cluster.up(profiles.EVERY)
