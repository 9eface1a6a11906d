"""Availability has proportion: many short outages are not nothing, and one within its budget is no flapping."""

from dataclasses import replace

import pytest

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.checkers.proportion import bad_answers
from tests.unit.handwritten import CLIENT, disrupted, event, history, op

INJECTED_MS = 1000


def asked(until_ms, is_bad, *, every_ms=500):
    """Operations of 20 ms; `is_bad` takes the number of each and when it begins. Before the injection all are well."""
    return [
        op(at, at + 20, "fail" if at >= INJECTED_MS and is_bad(number, at) else "ok")
        for number, at in enumerate(range(0, until_ms, every_ms))
    ]


def judged(operations, *, budget_ms=1000, healed_ms=60_000, clients=(CLIENT,), percent=25, end_ms=None):
    return bad_answers(
        history(operations, disrupted(INJECTED_MS, healed_ms), end_ms),
        clients=clients,
        outage_budget_ms=budget_ms,
        flapping_budget_percent=percent,
    )


def by_outage(operations, budget_ms):
    made = history(operations, disrupted(INJECTED_MS, 60_000))
    return longest_outage(made, clients=[CLIENT], budget_ms=budget_ms)


def told(judgement):
    return " | ".join(f"{each.expected}: {each.observed}" for each in judgement.offenders)


def test_good_answers_are_well():
    judgement = judged(asked(70_000, lambda number, at: False))
    assert judgement.valid is True
    assert judgement.measured == {"flapping_percent": 0.0, "bad_time_ms": 0.0, "last_bad_ms": 0.0}
    assert judgement.evidence["clients"][CLIENT]["last_bad_ms"] is None


@pytest.mark.parametrize("budget_ms", [1000, 2000, 15_000, 30_000])
def test_every_third_request_that_fails_for_40_s_is_too_much_for_any_budget(budget_ms):
    """One stale endpoint of three; the longest outage is half a second."""
    operations = asked(70_000, lambda number, at: at < 41_000 and number % 3 == 0)
    assert by_outage(operations, budget_ms).valid is True, "the longest outage alone does not show it"
    judgement = judged(operations, budget_ms=budget_ms)
    assert judgement.valid is False
    assert judgement.evidence["clients"][CLIENT]["worst_percent"] == pytest.approx(33, abs=4)
    assert "with some in any 10 s" in told(judgement)
    assert ("beside one outage" in told(judgement)) is (budget_ms < 10_000)


@pytest.mark.parametrize("budget_ms", [1000, 15_000, 30_000])
def test_60_s_of_ok_and_fail_in_turn_are_too_much_for_any_budget(budget_ms):
    operations = asked(70_000, lambda number, at: at < 61_000 and number % 2)
    judgement = judged(operations, budget_ms=budget_ms)
    assert judgement.valid is False
    assert judgement.evidence["clients"][CLIENT]["worst_percent"] == pytest.approx(50, abs=3)


@pytest.mark.parametrize("outage_ms, budget_ms", [(900, 1000), (14_000, 15_000), (29_000, 30_000)])
def test_one_outage_within_its_budget_is_well_however_often_it_was_asked_in_vain(outage_ms, budget_ms):
    operations = asked(70_000, lambda number, at: 5000 <= at < 5000 + outage_ms, every_ms=100)
    judgement = judged(operations, budget_ms=budget_ms)
    assert judgement.valid is True
    assert judgement.measured["flapping_percent"] == 0
    assert judgement.measured["bad_time_ms"] == pytest.approx(outage_ms, abs=150)


def test_half_of_the_answers_bad_for_less_than_an_outage_may_last_is_well():
    """Of two replicas one has found the new primary, and the other not yet."""
    operations = asked(70_000, lambda number, at: 5000 <= at < 17_000 and number % 2, every_ms=250)
    assert judged(operations, budget_ms=15_000).valid is True
    judgement = judged(operations, budget_ms=2000)
    assert judgement.valid is False
    assert "beside one outage of 2000 ms" in told(judgement)


def test_what_is_bad_once_the_fault_is_taken_back_is_another_trouble():
    """The takeover took 12 s, and at its return the old primary disturbs for a moment, 8 s later."""
    operations = asked(70_000, lambda number, at: 2000 <= at < 14_000 or at == 22_000)
    taken_over = event(14_500, "fault", "responded", expected="another takes over")
    for events, valid in (([taken_over], True), ([], False)):
        made = history(operations, [*disrupted(INJECTED_MS, 60_000), *events])
        judgement = bad_answers(made, clients=[CLIENT], outage_budget_ms=15_000, flapping_budget_percent=25)
        assert judgement.valid is valid


@pytest.mark.parametrize("lasts_s, valid", [(18, True), (0, False)])
def test_a_fault_that_is_to_last_is_not_taken_back_before_however_soon_it_is_answered(lasts_s, valid):
    """Answered after 4 s, it is bad for 12 s all the same; and for a moment when what was lost is back, after 18 s."""
    operations = asked(70_000, lambda number, at: 2000 <= at < 14_000 or at == 20_000)
    answered = event(5000, "fault", "responded", expected="no Service leads there")
    made = history(operations, [*disrupted(INJECTED_MS, 60_000, lasts_s=lasts_s), answered])
    judgement = bad_answers(made, clients=[CLIENT], outage_budget_ms=15_000, flapping_budget_percent=25)
    assert judgement.valid is valid


def test_one_spoiled_request_beside_an_outage_is_no_flapping():
    spoiled = asked(70_000, lambda number, at: 5000 <= at < 5500 or at == 8000, every_ms=250)
    assert judged(spoiled).valid is True


def test_outages_that_are_too_much_together_are_told():
    operations = asked(70_000, lambda number, at: at % 12_000 < 900 and at < 40_000, every_ms=100)
    judgement = judged(operations)
    assert [each.expected for each in judgement.offenders] == ["outages of 2000 ms together at most"]


def test_a_single_outage_that_is_too_long_is_not_told_twice():
    operations = asked(70_000, lambda number, at: 5000 <= at < 25_000)
    assert by_outage(operations, 1000).offenders
    assert judged(operations).valid is True


def test_a_bad_answer_long_after_all_was_healed_is_too_late():
    operations = asked(70_000, lambda number, at: at in (5000, 17_000, 65_500))
    assert judged(operations, healed_ms=66_000).valid is True
    assert "the last one after 64520 ms" in told(judged(operations, healed_ms=60_000))


def test_bad_answers_before_the_injection_do_not_count():
    warm_up = [op(at, at + 10, "fail") for at in range(0, 900, 100)]
    rest = asked(70_000, lambda number, at: False)[2:]
    assert judged([*warm_up, op(950, 960), *rest]).valid is True


def test_what_could_not_be_asked_makes_it_unknown_and_never_false():
    operations = [
        op(at, at + 20, "fail", asked=False) if number % 2 and 5000 < at < 40_000 else op(at, at + 20)
        for number, at in enumerate(range(0, 70_000, 500))
    ]
    judgement = judged(operations)
    assert judgement.valid == "unknown"
    assert "could not be asked" in judgement.unknowns[0]


@pytest.mark.parametrize("late_percent, valid", [(0, False), (30, False), (60, "unknown")])
def test_outages_that_a_starved_machine_drew_out_are_not_too_long_together_for_sure(late_percent, valid):
    """Six outages of 0.52 s each, far from one another: 3.12 s together, of 2 s; of each 0.48 s were spent waiting."""
    operations = asked(62_000, lambda number, at: number % 22 == 5)
    pulses = [event(at, "suite", "pulse", ms=100, late_ms=late_percent) for at in range(100, 62_000, 100)]
    made = history(operations, [*disrupted(INJECTED_MS, 60_000), *pulses])
    judgement = bad_answers(made, clients=[CLIENT], outage_budget_ms=1000, flapping_budget_percent=25)
    assert judgement.valid == valid


def test_each_client_is_judged_for_itself():
    other = [
        op(at, at + 20, "fail" if at > INJECTED_MS and number % 3 == 0 else "ok", client="pull@front-door")
        for number, at in enumerate(range(0, 41_000, 500))
    ]
    operations = [*asked(70_000, lambda number, at: False), *other]
    judgement = judged(operations, clients=(CLIENT, "pull@front-door"))
    assert {each.object for each in judgement.offenders} == {"pull@front-door"}


def test_an_operation_that_never_ended_is_bad_to_the_end():
    operations = [*asked(20_000, lambda number, at: False), op(20_000, None, None)]
    judgement = judged(operations, healed_ms=19_000, end_ms=36_000)
    assert judgement.evidence["clients"][CLIENT]["last_bad_ms"] == 35_000
    assert judgement.measured["bad_time_ms"] == 16_000


def test_nothing_disrupted_is_unknown():
    nothing = bad_answers(
        history([op(0, 10)], []), clients=[CLIENT], outage_budget_ms=1, flapping_budget_percent=25
    )
    assert nothing.valid == "unknown"


def test_as_much_flapping_as_is_allowed_is_well():
    operations = asked(70_000, lambda number, at: 5000 <= at < 13_000 and number % 3 == 0, every_ms=100)
    percent = judged(operations, budget_ms=2000).measured["flapping_percent"]
    assert percent > 20
    assert judged(operations, budget_ms=2000, percent=percent).valid is True
    (offender,) = judged(operations, budget_ms=2000, percent=percent - 0.1).offenders
    assert offender.expected.startswith(f"at most {percent - 0.1:g} % bad answers in any 10 s")
    assert f"{percent:.0f} %" in offender.observed
    assert "27 of 690 in all" in offender.observed


FIVE_OUTAGES = [at for begin in range(5000, 54_000, 12_000) for at in range(begin, begin + 400, 100)][:-1]
"""Four of 420 ms, and one of 320 ms."""


def test_outages_that_are_as_long_together_as_is_allowed_are_well():
    operations = asked(70_000, lambda number, at: at in FIVE_OUTAGES, every_ms=100)
    assert judged(operations, budget_ms=1000).measured["bad_time_ms"] == 2000
    assert judged(operations, budget_ms=1000).valid is True
    (offender,) = judged(operations, budget_ms=999).offenders
    assert offender.expected == "outages of 1998 ms together at most"
    assert "2000 ms" in offender.observed
    assert "19 of 690 answers" in offender.observed


def test_bad_answers_that_go_on_for_as_long_as_is_allowed_are_well():
    operations = asked(70_000, lambda number, at: at in (5000, 11_000, 17_000))
    assert judged(operations, budget_ms=12_020).valid is True
    (offender,) = judged(operations, budget_ms=12_019).offenders
    assert "for 12019 ms at most" in offender.expected
    assert "for 12020 ms" in offender.observed
    assert judged(asked(70_000, lambda number, at: at in (5000, 14_000)), budget_ms=1000).valid is True


def test_a_bad_answer_as_late_after_the_heal_as_is_allowed_is_well():
    operations = asked(70_000, lambda number, at: at == 65_500)
    assert judged(operations, budget_ms=5520, healed_ms=60_000).valid is True
    (offender,) = judged(operations, budget_ms=5519, healed_ms=60_000).offenders
    assert "later than 64519 ms after the injection" in offender.expected


def test_what_was_never_healed_has_no_answer_that_is_too_late():
    assert judged(asked(70_000, lambda number, at: at == 65_500), healed_ms=None).valid is True


def test_a_fault_that_was_neither_proven_nor_answered_is_judged_as_one():
    operations = asked(70_000, lambda number, at: at in (5000, 14_000))
    made = history(operations, [event(INJECTED_MS, "fault", "inject")])
    found = bad_answers(made, clients=[CLIENT], outage_budget_ms=1000, flapping_budget_percent=25)
    assert found.valid is True
    assert found.evidence["clients"][CLIENT]["disturbed_ms"] == 9020


def test_where_the_suite_could_not_ask_the_outage_that_is_too_long_is_only_what_harbor_failed():
    """Of 3 s without a good answer Harbor failed half a second: what comes later, and is too much, is still told."""
    operations = [
        *asked(5000, lambda number, at: False),
        op(5000, 5020, "fail"),
        *[op(at, at + 20, "fail", asked=False) for at in range(5500, 8000, 500)],
        *[op(at, at + 20, "fail" if at % 1000 else "ok") for at in range(8000, 40_000, 500)],
        *[op(at, at + 20) for at in range(40_000, 70_000, 500)],
    ]
    assert judged(operations).valid is False


def test_the_pods_that_answered_badly_are_named():
    operations = asked(70_000, lambda number, at: at in (5000, 17_000, 67_000))
    named = [replace(each, uid="" if each.ok else f"u{each.invoked_ns // 10**6}") for each in operations]
    (offender,) = judged(named).offenders
    assert offender.uids == ("u5000", "u17000", "u67000")


def test_without_a_client_or_a_disruption_nothing_is_measured():
    operations = asked(2000, lambda number, at: False)
    assert judged(operations, clients=()).measured == {
        "flapping_percent": 0.0,
        "bad_time_ms": 0.0,
        "last_bad_ms": 0.0,
    }
    nothing = bad_answers(history([], []), clients=[], outage_budget_ms=1, flapping_budget_percent=25)
    assert nothing == Judgement("bad-answers", unknowns=("nothing was disrupted",))


def test_one_outage_of_the_budget_excuses_no_flapping():
    """It lasts for 1000 ms to the microsecond: from the first bad answer's beginning to the good one's."""
    flapping = asked(70_000, lambda number, at: at < 41_000 and number % 3 == 0)
    outage = [
        op(50_000 + at, 50_020 + at, "fail" if at < 1000 else "ok", kind="login")
        for at in range(0, 1200, 100)
    ]
    kept = [each for each in flapping if not 50_000 <= each.invoked_ns / 1e6 <= 51_100]
    operations = [*kept, *outage]
    assert by_outage(operations, 1000).measured["outage_ms"] == pytest.approx(1000, abs=25)
    judgement = judged(operations, budget_ms=by_outage(operations, 1000).measured["outage_ms"])
    assert judgement.valid is False
    assert "with some in any 10 s" in told(judgement)


def test_what_several_clients_have_against_it_is_told_of_each():
    other = "pull@front-door"
    both = [
        op(each.invoked_ns / 1e6, each.completed_ns / 1e6, "ok" if each.ok else "fail", client=client)
        for each in asked(70_000, lambda number, at: at < 41_000 and number % 3 == 0)
        for client in (CLIENT, other)
    ]
    judgement = judged(both, clients=(CLIENT, other))
    assert {each.object for each in judgement.offenders} == {CLIENT, other}
    unasked = [each if each.ok else replace(each, asked=False) for each in both]
    unknown = judged(unasked, clients=(CLIENT, other))
    assert unknown.valid == "unknown"
    assert {each.partition(":")[0] for each in unknown.unknowns} == {CLIENT, other}
    assert unknown.checker == judgement.checker == judged([]).checker == "bad-answers"


def test_what_was_under_way_when_it_was_broken_is_bad_from_then_on():
    operations = [op(0, 20), op(500, 1800, "fail"), *(op(at, at + 20) for at in range(1900, 9000, 500))]
    assert judged(operations, budget_ms=2000).measured["bad_time_ms"] == 920.0, "broken at 1000, good at 1920"
