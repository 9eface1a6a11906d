"""Waiting ends in time, and says what it saw last."""

import pytest

from harbor_verify.errors import DeadlinePassed
from harbor_verify.waiting import NotYet, last_look, wait_until


def probe_of(*outcomes):
    left = list(outcomes)

    def probe():
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return probe


def wait(probe, timeout_s=30, **kwargs):
    """A deadline that a busy machine does not miss, unless the test is about one."""
    return wait_until(
        "it", probe, deadline="converge_timeout_s", timeout_s=timeout_s, interval_s=0.001, **kwargs
    )


def test_it_returns_what_the_probe_returns_at_last():
    assert wait(probe_of(NotYet("1 of 2"), NotYet("1 of 2"), "there")) == "there"


def test_a_falsy_value_is_a_value():
    assert wait(probe_of(NotYet("no"), 0)) == 0


def test_a_deadline_says_what_was_waited_for_how_long_and_what_was_seen():
    with pytest.raises(
        DeadlinePassed, match=r"it: not so after 0.05 s \(converge_timeout_s\); last seen: 1 of 2"
    ):
        wait(probe_of(NotYet("0 of 2"), NotYet("1 of 2")), 0.05)


def test_only_named_exceptions_are_waited_out():
    with pytest.raises(KeyError):
        wait(probe_of(KeyError("x"), "there"))
    assert wait(probe_of(KeyError("x"), "there"), retry_on=(KeyError,)) == "there"


@pytest.mark.parametrize("looks, seen", [((0, 1, 2, 3), 2), ((0, 1), 1), ((2,), 2)])
def test_a_last_look_is_the_first_that_is_settled_or_what_was_seen_when_time_was_over(looks, seen):
    look = probe_of(*looks)
    found = last_look("2", look, lambda n: n >= 2, deadline="d", timeout_s=0.05, interval_s=0)
    assert found == seen


def test_what_a_look_raises_ends_it():
    with pytest.raises(KeyError):
        last_look("2", probe_of(0, KeyError("x")), lambda n: n >= 2, deadline="d", timeout_s=5, interval_s=0)
