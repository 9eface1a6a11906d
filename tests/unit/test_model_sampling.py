"""How often one asks to meet each replica behind a Service."""

import pytest

from fixtures.model.sampling import tries_to_meet_each


@pytest.mark.parametrize("replicas, tries", [(0, 1), (1, 1), (2, 10), (3, 18), (5, 31)])
def test_a_replica_is_missed_once_in_a_thousand_times_at_most(replicas, tries):
    assert tries_to_meet_each(replicas) == tries
    if replicas > 1:
        assert (1 - 1 / replicas) ** tries <= 0.001 < (1 - 1 / replicas) ** (tries - 1)
