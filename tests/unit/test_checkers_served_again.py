"""What nobody could do while something was broken: it works again at each place in time after the heal."""

import pytest

from harbor_verify.checkers.served_again import served_again
from tests.unit.handwritten import disrupted, history, op

FAULT = disrupted(100, 2000)
REFUSED = [op(500, 510, "info", kind="push"), op(2100, 2110, "info", kind="push")]


@pytest.mark.parametrize(
    "later, valid",
    [
        ([op(2500, 2600, kind="push")], True),
        ([op(3500, 3600, kind="push")], False),
        ([op(2500, 2600, kind="pull")], "unknown"),
        ([op(9000, 9100, kind="pull")], False),
        ([], "unknown"),
    ],
)
def test_at_each_place_it_works_in_time_after_the_heal(later, valid):
    assert served_again(history([*REFUSED, *later], FAULT), kinds={"push"}, budget_ms=1000).valid == valid


def test_it_is_measured_and_the_slowest_place_counts():
    slow = [op(500, 510, "info", client="push@registry-0"), op(2200, 2900, client="push@registry-0")]
    judgement = served_again(
        history([*REFUSED, op(2300, 2400, kind="push"), *slow], FAULT), kinds={"push"}, budget_ms=1000
    )
    assert judgement.measured == {"served_again_ms": 900}


def test_a_good_answer_before_the_heal_is_none():
    assert (
        served_again(history([op(500, 510, kind="push")], FAULT), kinds={"push"}, budget_ms=100).valid
        == "unknown"
    )


def test_nothing_asked_and_nothing_healed_are_unknown():
    assert served_again(history([], FAULT), kinds={"push"}, budget_ms=1).valid == "unknown"
    assert served_again(history(REFUSED, []), kinds={"push"}, budget_ms=1).valid == "unknown"
