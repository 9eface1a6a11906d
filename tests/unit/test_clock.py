"""Of three clocks, the middle one is right."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from harbor_verify import clock

HOURS = timedelta(hours=5)


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    clock.correct([])


def ahead():
    return clock.now() - datetime.now(UTC)


@pytest.mark.parametrize("off", [HOURS, -HOURS])
def test_where_the_others_agree_theirs_is_taken(off):
    direction = "behind" if off > timedelta(0) else "ahead of"
    assert f"this machine's clock is 5.0 h {direction} the API server's" in clock.correct([off, off])
    assert abs(ahead() - off) < timedelta(seconds=1)


@pytest.mark.parametrize("others", [[HOURS, timedelta(0)], [HOURS, None], [HOURS, -HOURS]])
def test_where_they_do_not_agree_that_is_told_and_nothing_is_changed(others):
    assert "which is right is not known" in clock.correct(others)
    assert abs(ahead()) < timedelta(seconds=1)


@pytest.mark.parametrize("others", [[], [None, None], [timedelta(seconds=2), timedelta(seconds=-30)]])
def test_a_few_seconds_are_nothing(others):
    assert clock.correct(others) == ""
    assert abs(ahead()) < timedelta(seconds=1)


def test_a_date_is_read_from_an_answer():
    told = clock.date_of({"Date": format_datetime(datetime.now(UTC) + HOURS, usegmt=True)})
    assert abs(told - HOURS) < timedelta(seconds=2)
    assert clock.date_of({"Date": "yesterday"}) is clock.date_of({}) is clock.date_of(None) is None
