"""Waiting ends in time, and says what it saw last."""

import pytest

from harbor_verify.errors import DeadlinePassed
from harbor_verify.waiting import NotYet, wait_until


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
