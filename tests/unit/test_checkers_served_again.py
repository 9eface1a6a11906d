"""Who is there after the heal serves again: each client that asks until it is served was so in time."""

import pytest

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.served_again import served_again
from harbor_verify.verdict import Offender
from tests.unit.handwritten import disrupted, history, op

FAULT = disrupted(100, 2000)
PUSH = "push-again@registry-0"
REFUSED = [
    op(500, 510, "info", client=PUSH),
    op(2100, 2110, "info", client=PUSH, error="UnexpectedAnswer", status=500),
]


def judged(operations, *, clients=(PUSH,), budget_ms=1000, events=FAULT):
    return served_again(history(operations, events), clients=clients, budget_ms=budget_ms)


@pytest.mark.parametrize(
    "later, valid",
    [
        ([op(2500, 2600, client=PUSH)], True),
        ([op(3500, 3600, client=PUSH)], False),
        ([op(2500, 2600, client="pull@registry-0")], "unknown"),
        ([op(9000, 9100, client="pull@registry-0")], False),
        ([op(9000, 9100, "info", client=PUSH, asked=False)], "unknown"),
        ([op(9000, 9100, "info", client=PUSH, asked=False), op(9200, 9300, "info", client=PUSH)], False),
        ([], "unknown"),
    ],
)
def test_each_is_answered_well_in_time_after_the_heal(later, valid):
    assert judged([*REFUSED, *later]).valid == valid


def test_it_is_measured_and_the_slowest_counts():
    other = "login-again@web-0"
    slow = [op(500, 510, "info", client=other), op(2200, 2900, client=other), op(2950, 2990, client=other)]
    judgement = judged([*REFUSED, op(2300, 2400, client=PUSH), *slow], clients=[PUSH, other])
    assert (judgement.valid, judgement.measured) == (True, {"served_again_ms": 900})


def test_a_good_answer_before_the_heal_is_none():
    assert judged([op(500, 510, client=PUSH)], budget_ms=100).valid == "unknown"


def test_nobody_asked_and_nothing_healed_are_unknown():
    assert judged([], clients=()).unknowns == ("nobody asked for anything after the heal",)
    assert judged(REFUSED, events=[]).valid == "unknown"


def test_each_that_is_served_late_or_not_at_all_is_told_with_what_was_seen():
    late, refused = "push-again@registry-1", "login-again@web-2"
    operations = [
        op(2100, 2500.0001, client=PUSH),
        op(3000, 3000.5, client=late, uid="uid-1"),
        op(2100, 2200, "info", client=refused, error="NoAnswer"),
        op(2300, 8000, "fail", client=refused, error="UnexpectedAnswer", status=500, uid="uid-2"),
    ]
    expected = "done within 1000 ms of the heal, as before anything was broken"
    silent = "login-again@web-3"
    assert judged(operations, clients=[PUSH, late, refused, silent]) == Judgement(
        "served-again",
        (
            Offender(late, expected, "after 1000 ms", ("uid-1",)),
            Offender(
                refused,
                expected,
                "not within 6000 ms: 2 times, UnexpectedAnswer, status 500 the last time",
                ("uid-2",),
            ),
            Offender(silent, expected, "not within 6000 ms"),
        ),
        (),
        measured={"served_again_ms": 1000.5},
    )


def test_as_late_as_is_allowed_is_well_and_as_it_is_healed_is_before():
    judgement = judged([op(1900, 2000, client=PUSH), op(2900, 3000, client=PUSH)])
    assert (judgement.valid, judgement.measured) == (True, {"served_again_ms": 1000})


def test_what_is_not_known_is_told_in_words():
    silent = judged([op(2100, 2600, "info", client=PUSH)])
    assert silent.unknowns == (f"{PUSH}: no good answer, and the history ends 600 ms after the heal",)
    unasked = judged([op(2100, 9600, "info", client=PUSH, asked=False, error="TargetUnreachable")])
    assert unasked.unknowns == (f"{PUSH} could not ask (TargetUnreachable)",)
