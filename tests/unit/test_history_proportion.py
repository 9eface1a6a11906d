"""How much was answered well: the figures themselves, of answers written by hand."""

import pytest

from harbor_verify.history.outages import outages_of
from harbor_verify.history.proportion import Proportion, proportion
from tests.unit.handwritten import op

INJECTED_MS = 3_600_000
"""An hour after the history began. Times below are from the injection."""


def ops(*times, outcome="ok", **more):
    """Operations of 20 ms that end at these times, or, of a pair, that take from the one to the other."""
    pairs = [at if isinstance(at, tuple) else (at - 20, at) for at in times]
    return [op(INJECTED_MS + begin, INJECTED_MS + end, outcome, **more) for begin, end in pairs]


def bad(*times, **more):
    return ops(*times, outcome="fail", **more)


def figures(*operations, end_ms=100_000, allowed_ms=0, mending_ms=(), unasked_is_bad=False) -> Proportion:
    injected_ns, end_ns = INJECTED_MS * 10**6, (INJECTED_MS + end_ms) * 10**6
    return proportion(
        operations,
        outages_of(operations, end_ns=end_ns, injected_ns=[injected_ns]),
        injected_ns=injected_ns,
        end_ns=end_ns,
        allowed_ms=allowed_ms,
        mending_ns=[int((INJECTED_MS + at_ms) * 1e6) for at_ms in mending_ms],
        unasked_is_bad=unasked_is_bad,
    )


def test_every_figure_is_told_to_the_microsecond_and_to_a_tenth_of_a_percent():
    good = ops(1000, 2000, 4200.765432, 8000)
    wrong = bad((3900, 4000.123456), (7000, 7000.5), (7100, 7200.250432))
    assert figures(*good, *wrong, end_ms=10_000, allowed_ms=10) == Proportion(
        answers_count=7,
        bad_count=3,
        worst_percent=42.9,
        flapping_percent=33.3,
        bad_time_ms=1300.765,
        disturbed_ms=3300.25,
        last_bad_ms=7200.25,
    )


@pytest.mark.parametrize("operations", [[], ops(100, 200)])
def test_where_nothing_was_bad_there_is_nothing_to_measure(operations):
    assert figures(*operations) == Proportion(len(operations), 0, 0.0, 0.0, 0.0, 0.0, None)


DENSE_BEFORE, DENSE_AFTER = range(10_000, 20_000, 100), range(30_100, 40_000, 100)


def test_the_worst_ten_seconds_may_begin_with_a_bad_answer():
    good = ops(*DENSE_BEFORE, *range(21_000, 30_000, 2000), 30_000.005, *DENSE_AFTER)
    assert figures(*good, *bad(*range(20_000, 30_000, 2000))).worst_percent == 50.0


def test_the_worst_ten_seconds_may_end_with_a_bad_answer():
    good = ops(*DENSE_BEFORE, 19_999.995, *range(21_000, 30_000, 2000), *DENSE_AFTER)
    assert figures(*good, *bad(*range(22_000, 31_000, 2000))).worst_percent == 50.0


def test_no_window_begins_before_the_injection():
    operations = [*bad(3000, 9999), *ops(9999.5, *range(10_001, 25_000, 100))]
    assert figures(*operations).worst_percent == 66.7


def test_no_window_reaches_over_the_end_of_the_history():
    operations = [*ops(*range(11_000, 18_000, 1000)), *bad(19_000, 20_000)]
    assert figures(*operations, end_ms=20_000).worst_percent == 22.2


@pytest.mark.parametrize("bad_at, percent", [((1000,), 0.0), ((1000, 3000), 0.0), ((1000, 3000, 5000), 40.0)])
def test_one_bad_answer_beside_the_outage_that_is_allowed_is_no_flapping(bad_at, percent):
    assert figures(*bad(*bad_at), *ops(2000, 4000, 6000)).flapping_percent == percent


def test_the_outage_that_is_allowed_takes_the_most_bad_answers_that_fit_in_its_length():
    operations = [*bad(1000, 1500, 2000, 6000, 8000), *ops(3000, 4000, 7000, 9000)]
    assert figures(*operations, end_ms=10_000, allowed_ms=1000).flapping_percent == 33.3
    assert figures(*operations, end_ms=10_000, allowed_ms=999).flapping_percent == 42.9
    reversed_in_time = [*bad(9000, 8500, 8000, 4000, 2000), *ops(7000, 6000, 3000, 1000)]
    assert figures(*reversed_in_time, end_ms=10_000, allowed_ms=1000).flapping_percent == 33.3
    assert figures(*reversed_in_time, end_ms=10_000, allowed_ms=999).flapping_percent == 42.9


def test_what_was_answered_of_a_long_operation_is_no_trouble():
    assert figures(*bad((1000, 5000), value={"unanswered_ms": 250})).disturbed_ms == 250


@pytest.mark.parametrize("again_at, disturbed_ms", [((11_020, 11_040), 10_040), ((11_020.001, 11_040), 20)])
def test_bad_answers_up_to_ten_seconds_apart_are_one_trouble(again_at, disturbed_ms):
    assert figures(*bad((1000, 1020), again_at)).disturbed_ms == disturbed_ms


@pytest.mark.parametrize("mending_ms, is_another", [(1019, False), (1020, True), (2000, True), (2001, False)])
def test_what_is_bad_from_when_the_fault_was_being_taken_back_is_another_trouble(mending_ms, is_another):
    found = figures(*bad((1000, 1020), (2000, 2020)), mending_ms=[mending_ms])
    assert found.disturbed_ms == (20 if is_another else 1020)


def test_a_disturbance_lasts_to_the_latest_end_of_what_overlaps():
    assert figures(*bad((1000, 5000), (2000, 2020))).disturbed_ms == 4000


def test_what_was_under_way_at_the_injection_was_bad_from_then_on():
    assert figures(*bad((-500, 250))).disturbed_ms == 250


def test_what_could_not_be_asked_is_left_out_or_taken_for_bad():
    operations = [*ops(20), *bad((1000, 1100)), *bad((1200, 1300), asked=False), *ops(2020)]
    assert figures(*operations, end_ms=10_000) == Proportion(3, 1, 33.3, 0.0, 100.0, 100.0, 1100.0)
    at_worst = figures(*operations, end_ms=10_000, unasked_is_bad=True)
    assert at_worst == Proportion(4, 2, 50.0, 0.0, 1020.0, 300.0, 1300.0)


def test_what_could_never_be_asked_is_no_bad_time():
    operations = [*ops(20), *bad((1000, 1100), asked=False), *ops(2020)]
    assert figures(*operations).bad_time_ms == 0
    assert figures(*operations, unasked_is_bad=True).bad_time_ms == 1020
