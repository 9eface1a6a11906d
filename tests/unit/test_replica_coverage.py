"""How often is enough."""

from itertools import permutations, product

import pytest

from harbor_verify.replica_coverage import cross_pairs, ordered_pairs, rounds_to_meet_each


@pytest.mark.parametrize(
    "replicas, draws, rounds", [(0, 1, 1), (1, 1, 1), (2, 1, 10), (3, 1, 18), (3, 2, 9), (3, 100, 1)]
)
def test_any_one_replica_is_missed_once_in_a_thousand_at_most(replicas, draws, rounds):
    assert rounds_to_meet_each(replicas, draws) == rounds
    if replicas > 1:
        assert (1 - 1 / replicas) ** (draws * rounds) <= 0.001


@pytest.mark.parametrize("count", range(5))
def test_few_replicas_are_asked_each_with_each(count):
    few, many = range(count), "abcdefghij"
    assert ordered_pairs(few) == list(permutations(few, 2))
    assert cross_pairs(few, many) == list(product(few, many))
    assert cross_pairs(many, few) == list(product(many, few))


@pytest.mark.parametrize("count", [5, 6, 30])
def test_many_replicas_are_asked_round_a_ring_whose_every_break_is_seen(count):
    pairs = ordered_pairs(range(count))
    assert len(pairs) == len(set(pairs)) == 2 * count
    for odd in range(count):
        assert len([pair for pair in pairs if odd in pair]) == 4, "it takes from two, and gives to two"
    for half in range(1, count):
        alike = [one < half for one in range(count)]
        assert [pair for pair in pairs if alike[pair[0]] and not alike[pair[1]]]
        assert [pair for pair in pairs if alike[pair[1]] and not alike[pair[0]]]


@pytest.mark.parametrize("first, second", [(5, 5), (5, 30), (30, 5), (30, 30), (6, 9)])
def test_two_sides_are_linked_by_twice_as_many_pairs_as_the_longer_has(first, second):
    pairs = cross_pairs(range(first), range(second))
    assert len(pairs) <= 2 * max(first, second)
    assert {one for one, _ in pairs} == set(range(first))
    assert {other for _, other in pairs} == set(range(second))
    # What is alike with a partner is alike with the partner's partners: all are reached from one.
    reached, new = set(), {("first", 0)}
    while new:
        reached |= new
        linked = {("second", b) for a, b in pairs if ("first", a) in reached}
        linked |= {("first", a) for a, b in pairs if ("second", b) in reached}
        new = linked - reached
    assert len(reached) == first + second
