"""A garbage collection that was killed in its sweep: for how long pushes of that layer are refused, and what ends it.

What real Harbor does: middleware/blob and pkg/blob, and the recorded collections whose jobservice was killed.
"""

from collections.abc import Iterator

import pytest

from lab import cluster, defects, profiles
from lab.defects.harbor_2 import blob_left_deleting
from tests.lab.running import make_sound

pytestmark = pytest.mark.matrix
REFUSED, TAKEN = 404, 201


@pytest.fixture
def harbor() -> Iterator[cluster.Deployed]:
    cluster.up("harbor-2")
    deployed = cluster.Deployed(profiles.find("harbor-2"))
    yield deployed
    make_sound(deployed)


def test_pushes_are_refused_as_long_as_the_time_window_and_once_more(harbor):
    defects.plant(harbor, "blob-left-deleting")
    either = (REFUSED, TAKEN)
    for _ in range(2):
        assert blob_left_deleting.push(harbor, expected=either) == REFUSED
    blob_left_deleting.age(harbor, "2 hours 1 minute")
    assert blob_left_deleting.push(harbor, expected=either) == REFUSED
    assert blob_left_deleting.push(harbor, expected=either) == TAKEN
