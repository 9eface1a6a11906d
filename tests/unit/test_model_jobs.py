"""When schedules are due, what became of it, and what is taken out together."""

from datetime import UTC, datetime, timedelta

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.jobs import Fired, Policy, due, fired, next_due, sharing

NOON = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
"""A Saturday."""
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MINUTES = [NOON + number * MINUTE for number in range(4)]


def seconds(*offsets):
    return [NOON + timedelta(seconds=each) for each in offsets]


@pytest.mark.parametrize(
    "cron, after, until, expected",
    [
        ("0 0 3 * * *", NOON - 2 * DAY, NOON, [datetime(2026, 11, day, 3, tzinfo=UTC) for day in (27, 28)]),
        ("0 0 12 * * *", NOON - DAY, NOON, [NOON]),
        ("0 0 12 * * *", NOON, NOON + timedelta(hours=23), []),
        ("0 * * * * *", NOON, NOON + timedelta(seconds=90.7), [NOON + MINUTE]),
        ("*/30 * * * * ?", NOON, NOON + MINUTE, [NOON + MINUTE / 2, NOON + MINUTE]),
    ],
)
def test_moments_that_were_due_end_with_the_last_one_and_begin_after_the_first(cron, after, until, expected):
    assert due(cron, after, until, most=10) == expected


def test_of_many_the_last_are_given():
    assert due("0 * * * * *", NOON - DAY, NOON, most=3) == [NOON - 2 * MINUTE, NOON - MINUTE, NOON]


@pytest.mark.parametrize(
    "cron, expected",
    [
        ("0 0 0 * * 0", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 0 1 * ?", datetime(2026, 12, 1, tzinfo=UTC)),
        # A day of the month, or one of the week, is enough, unless one of them may be any.
        ("0 0 0 30 * 2", datetime(2026, 11, 30, tzinfo=UTC)),
        ("0 0 0 */2 * 2", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 0 ? * TUE", datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_the_next_moment_is_what_harbors_own_parser_says(cron, expected):
    assert next_due(cron, NOON) == expected


@pytest.mark.parametrize("cron", ["", "0 3 * * *", "0 0 25 * * *", "@daily", "0 0 0 30 2 *"])
def test_what_is_no_expression_of_six_fields_is_told(cron):
    with pytest.raises(WrongConfiguration):
        next_due(cron, NOON)


@pytest.mark.parametrize(
    "began, expected",
    [
        (seconds(3, 63, 123, 183), Fired(None, {})),
        (seconds(3, 63, 123, 179.5), Fired(None, {})),  # a clock that is behind
        (seconds(3, 63, 123), Fired(MINUTES[3], {})),
        ([], Fired(MINUTES[3], {})),
        (seconds(3, 123, 183), Fired(None, {})),  # a gap that is over
        (seconds(3, 63, 64, 123, 183), Fired(None, {MINUTES[1]: 2})),
        (seconds(3, 123, 124, 183), Fired(None, {})),  # the one before came late
        (seconds(3, 123, 124, 125, 183), Fired(None, {MINUTES[2]: 2})),
        (seconds(3, 4, 63, 123, 183), Fired(None, {})),  # of one that is not looked at, and came late
        (seconds(3, 63, 123, 183, 184, 185), Fired(None, {MINUTES[3]: 3})),
    ],
)
def test_each_moment_has_one_beginning_and_a_late_one_is_no_second(began, expected):
    assert fired(MINUTES, began, NOON + 4 * MINUTE) == expected


def test_of_a_single_moment_two_beginnings_are_two():
    assert fired([NOON], seconds(1, 2), None) == Fired(None, {NOON: 2})


@pytest.mark.parametrize("began", [seconds(1, 61), seconds(1, 59.5), seconds(1, 61, 121)])
def test_what_began_at_a_moment_that_is_not_judged_yet_is_no_second_of_the_last_one(began):
    """Seen in the lab: of each minute, with the last one too young to be missed."""
    assert fired([NOON], began, NOON + MINUTE) == Fired(None, {})


def test_what_shares_a_score_is_told_by_it():
    one, other, third = (Policy(name, "0 0 0 * * *", score) for name, score in (("a", 7), ("b", 8), ("c", 7)))
    assert sharing([one, other, third]) == {7: [one, third]}
    assert sharing([one, other]) == {}
