"""What nobody could do while something was broken: it works again at each place in time after the heal."""

import pytest

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.served_again import served_again
from harbor_verify.verdict import Offender
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


def at(place, start_ms, end_ms, outcome="ok", kind="push"):
    return op(start_ms, end_ms, outcome, client=f"{kind}@{place}", kind=kind)


def test_each_place_that_is_late_or_silent_is_told_with_what_was_seen():
    operations = [
        at("registry-0", 2100, 2500.0001),
        at("registry-1", 3000, 3000.5),
        at("registry-1", 4000, 4100),
        at("registry-2", 2100, 2200, "info"),
        at("registry-3", 2100, 2200, "info", kind="mount"),
        at("registry-3", 2300, 8000, "info"),
    ]
    judgement = served_again(history(operations, FAULT), kinds={"push", "mount"}, budget_ms=1000)
    expected = "answered well within 1000 ms of the heal"
    assert judgement == Judgement(
        "served-again",
        (
            Offender("mount, push@registry-1", expected, "after 1000 ms"),
            Offender("mount, push@registry-2", expected, "not after 6000 ms"),
            Offender("mount, push@registry-3", expected, "not after 6000 ms"),
        ),
        (),
        measured={"served_again_ms": 1000.5},
    )


def test_as_late_as_is_allowed_is_well_and_as_it_is_healed_is_before():
    operations = [at("registry-0", 1900, 2000), at("registry-0", 2900, 3000), at("registry-1", 1900, 2000.5)]
    judgement = served_again(history(operations, FAULT), kinds={"push"}, budget_ms=1000)
    assert (judgement.valid, judgement.measured) == (True, {"served_again_ms": 1000})


def test_what_is_not_known_is_told_in_words():
    silent = served_again(
        history([at("registry-0", 2100, 2600, "info")], FAULT), kinds={"push"}, budget_ms=1000
    )
    assert silent.unknowns == ("push@registry-0: no good answer, and the history ends 600 ms after the heal",)
    nobody = served_again(history([at("registry-0", 1, 2, kind="pull")], FAULT), kinds={"push"}, budget_ms=1)
    assert nobody.unknowns == ("nobody asked for a push",)
