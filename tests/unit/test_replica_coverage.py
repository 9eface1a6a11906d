"""How often is enough."""

import pytest

from harbor_verify.replica_coverage import rounds_to_meet_each


@pytest.mark.parametrize(
    "replicas, draws, rounds", [(0, 1, 1), (1, 1, 1), (2, 1, 10), (3, 1, 18), (3, 2, 9), (3, 100, 1)]
)
def test_any_one_replica_is_missed_once_in_a_thousand_at_most(replicas, draws, rounds):
    assert rounds_to_meet_each(replicas, draws) == rounds
    if replicas > 1:
        assert (1 - 1 / replicas) ** (draws * rounds) <= 0.001
