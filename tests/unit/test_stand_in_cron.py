"""The stand-in's own reading of cron expressions is what the suite, with another program, makes of them."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from harbor_verify.model.jobs import next_due
from lab.harbor.harbor_2.cron import Cron, CronError

START = datetime(2026, 11, 28, 12, 34, 56, 789, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * * *",
        "*/20 * * * * *",
        "5/20 1-3,50 * * * ?",
        "0 0 3 * * *",
        "0 0 0 * * 0",
        "0 30 2 1,15 * *",
        "0 30 2 1,15 * 1",
        "0 0 12 31 1-12/2 *",
        "0 0 0 */2 * 2",
    ],
)
def test_the_next_moments_are_those_that_the_suite_expects(text):
    at, expected = START, []
    for _ in range(5):
        following = next_due(text, at)
        assert following
        at = following
        expected.append(at)
    assert list(islice(Cron(text).after(START), 5)) == expected


def test_what_never_comes_ends():
    assert list(Cron("0 0 0 30 2 *").after(START)) == []


@pytest.mark.parametrize(
    "text", ["", "0 3 * * *", "60 0 0 * * *", "0 0 0 * * 7", "0 0 0 0 * *", "a 0 0 * * *"]
)
def test_what_is_none_is_refused(text):
    with pytest.raises(CronError):
        Cron(text)
