"""An outage is the time without a good answer; what the history does not show is unknown, never fine."""

from itertools import pairwise

import pytest

from harbor_verify.checkers.outage import longest_outage
from harbor_verify.history import History, outages_of
from tests.unit.handwritten import CLIENT, disrupted, event, history, op

FAULT = disrupted(100, 2000)


def every_100_ms(until_ms=2100, *, failing=()):
    """An operation of 10 ms every 100 ms; those that begin at one of `failing` fail."""
    return [op(at, at + 10, "fail" if at in failing else "ok") for at in range(0, until_ms + 1, 100)]


def judge(operations, events=FAULT, *, budget_ms=500, slow_ms=None, clients=(CLIENT,), end_ms=None):
    return longest_outage(
        history(operations, events, end_ms), clients=clients, budget_ms=budget_ms, slow_ms=slow_ms
    )


def test_no_failure_is_no_outage():
    judgement = judge(every_100_ms())
    assert judgement.valid is True
    assert judgement.measured == {"outage_ms": 0.0, "slowest_ok_ms": 10.0}


def test_an_outage_lasts_from_the_first_failure_to_the_next_good_answer():
    judgement = judge(every_100_ms(failing=(300, 400)))
    assert judgement.valid is True
    assert judgement.measured["outage_ms"] == 210.0  # 300 to 510
    (outage,) = judgement.evidence["clients"][CLIENT]["outages"]
    assert outage["at_least_ms"] == 110.0
    assert outage["failed"] == 2


def test_an_outage_above_the_budget_is_false_and_says_how_long():
    judgement = judge(every_100_ms(failing=range(300, 900, 100)))
    assert judgement.valid is False
    (offender,) = judgement.offenders
    assert offender.object == CLIENT
    assert "6 operations" in offender.observed
    assert "610 ms" in offender.observed


def test_an_outage_of_exactly_the_budget_is_within_it():
    operations = every_100_ms(failing=(300, 400, 500, 600))
    assert judge(operations, budget_ms=410).valid is True
    assert judge(operations, budget_ms=409.9).valid is False


@pytest.mark.parametrize("asked, more", [(True, {}), (False, {"asked": False})])
def test_an_operation_of_several_requests_is_an_outage_since_its_last_good_answer(asked, more):
    long = op(200, 1100, "info", value={"unanswered_ms": 50}, **more)
    judgement = judge([op(100, 150), long, op(1150, 1200)])
    (outage,) = judgement.evidence["clients"][CLIENT]["outages"]
    assert outage["from_ns"] == 1050e6
    assert judgement.measured["outage_ms"] == 150
    assert outage["at_least_ms"] == (50 if asked else 0)


def test_an_unknown_outcome_is_no_good_answer():
    operations = every_100_ms()
    operations[5] = op(500, 510, "info")
    assert judge(operations).measured["outage_ms"] == 110.0


def test_the_longest_of_several_outages_counts():
    judgement = judge(every_100_ms(failing=(300, 700, 800)))
    assert judgement.measured["outage_ms"] == 210.0
    assert len(judgement.evidence["clients"][CLIENT]["outages"]) == 2


def test_who_hangs_and_then_answers_was_away():
    operations = [op(0, 10), op(100, 1500), op(1600, 1610), op(1700, 1710), op(2000, 2010)]
    judgement = judge(operations)
    assert judgement.valid is False
    assert "waited 1400 ms" in judgement.offenders[0].observed


def test_a_wait_counts_from_what_was_usual_before_anything_was_broken():
    slow = [op(0, 90, value={"longest_wait_ms": 80.0}), op(600, 1170, value={"longest_wait_ms": 570.0})]
    rest = [op(at, at + 10) for at in range(1200, 2200, 100)]
    assert judge([*slow, *rest]).valid is True
    judgement = judge([*slow, *rest], budget_ms=489)
    assert judgement.valid is False
    assert judgement.offenders[0].expected == (
        "an answer within 489 ms more than usual before anything was broken (80 ms)"
    )
    assert "waited 570 ms" in judgement.offenders[0].observed


def test_an_outage_does_not_begin_before_what_was_under_way_was_broken():
    rest = [op(at, at + 10) for at in range(900, 2200, 100)]
    operations = [op(0, 10), op(20, 800, "info"), *rest]
    assert judge(operations).measured["outage_ms"] == 810.0  # broken at 100, good again at 910
    assert judge(operations, [event(810, "fault", "inject")]).measured["outage_ms"] == 0.0, "that came later"


def test_slow_is_not_down_but_too_slow_is():
    rest = [op(at, at + 10) for at in range(1700, 2200, 100)]
    slow = [op(0, 10), op(600, 1700, value={"longest_wait_ms": 1010.0}), *rest]
    assert judge(slow, slow_ms=1000).valid is True
    assert judge(slow, slow_ms=999).valid is False
    failing = every_100_ms(failing=range(300, 900, 100))
    assert judge(failing, slow_ms=1000).valid is False, "an outage is judged by its own budget"


def test_what_was_usual_is_taken_up_to_the_budget_and_of_the_same_work_alone():
    before = op(0, 99, value={"longest_wait_ms": 800.0})
    rest = [op(at, at + 10) for at in range(1700, 2200, 100)]
    assert judge([before, op(600, 1700, value={"longest_wait_ms": 1000.0}), *rest]).valid is True
    assert judge([before, op(600, 1700, value={"longest_wait_ms": 1001.0}), *rest]).valid is False
    other = op(0, 99, value={"longest_wait_ms": 400.0}, client="push@elsewhere")
    assert judge([other, *every_100_ms(500), op(600, 1170)]).valid is False


def test_one_slow_answer_of_the_warm_up_excuses_no_other():
    """Warm-up 2 s, then an answer after 3.9 s, with an outage budget of 1 s."""
    warm_up = [op(0, 2000), op(2010, 2020), op(2030, 2040)]
    rest = [op(at, at + 10) for at in range(6100, 7000, 100)]
    late = op(2200, 6100, value={"longest_wait_ms": 3900.0})
    judgement = judge([*warm_up, late, *rest], disrupted(2100, 6500), budget_ms=1000, slow_ms=2000)
    assert judgement.valid is False
    assert "waited 3900 ms" in judgement.offenders[0].observed


def slow_by(waited_ms, *, starved_percent=None, **pulse):
    """One answer came after so long, from 2200 on, on a machine that was starved all the while, or not at all."""
    end = 2200 + waited_ms
    quick = [op(at, at + 10) for at in (0, 100, 200, *range(int(end) + 10, int(end) + 900, 100))]
    late = op(2200, end, value={"longest_wait_ms": waited_ms})
    events = disrupted(150, end + 200)
    if starved_percent is not None:
        pulse = {"stalled_ms": 5.0 * starved_percent}
    if pulse:
        events += [
            event(at, "suite", "pulse", ms=500, **{"late_ms": 0, **pulse}) for at in range(500, 20_000, 500)
        ]
    return judge([*quick, late], events, budget_ms=15_000, slow_ms=2000)


def test_a_slow_answer_on_a_machine_that_was_starved_is_unknown_with_the_figure():
    """Of 4.2 s others had the CPU for 70 %."""
    assert slow_by(4200.0).valid is False
    assert slow_by(4200.0, starved_percent=10).valid is False
    judgement = slow_by(4200.0, starved_percent=70)
    assert judgement.valid == "unknown"
    assert "processes waited for a CPU for 2940 ms" in judgement.unknowns[0]


@pytest.mark.parametrize("how", ["late_ms", "stalled_ms", "stolen_ms"])
def test_waking_late_pressure_and_steal_each_tell_of_starvation(how):
    assert slow_by(4200.0, **{how: 350}).valid == "unknown"


def test_an_answer_that_is_too_slow_for_any_want_of_cpu_is_false():
    assert slow_by(12_000.0, starved_percent=70).valid is False
    assert slow_by(10_000.0, starved_percent=100).valid is False, "nobody has less than a quarter of a CPU"


def test_an_outage_on_a_machine_that_was_starved_is_an_outage():
    pulses = [event(at, "suite", "pulse", ms=500, late_ms=450, stalled_ms=500) for at in range(0, 2500, 500)]
    assert judge(every_100_ms(failing=range(300, 900, 100)), [*FAULT, *pulses]).valid is False


def asked_again_after(fault_ms, ask_ms, *, late_percent):
    """One bad answer at 300, another at `fault_ms`, and none until a good one is asked for at `ask_ms`."""
    good = [op(at, at + 10) for at in (0, 100, 200, *range(ask_ms, ask_ms + 1000, 100))]
    wrong = [op(at, at + 10, "fail") for at in {300, fault_ms}]
    pulses = [event(at, "suite", "pulse", ms=100, late_ms=late_percent) for at in range(100, 3000, 100)]
    return judge([*good, *wrong], [*FAULT, *pulses])


def test_that_a_starved_machine_asked_late_after_a_bad_answer_is_no_outage_for_sure():
    """The good answer came 810 ms after the bad one, with a budget of 500 ms."""
    assert asked_again_after(300, 1100, late_percent=0).valid is False
    assert asked_again_after(300, 1100, late_percent=38).valid is False
    judgement = asked_again_after(300, 1100, late_percent=39)
    assert judgement.valid == "unknown"
    assert "810 ms, but this machine was starved for 312 ms of it" in judgement.unknowns[0]
    assert judgement.measured["outage_ms"] == 810.0


def test_from_a_bad_answer_to_a_later_one_starvation_excuses_nothing():
    assert asked_again_after(801, 1100, late_percent=100).valid is False
    assert asked_again_after(790, 1100, late_percent=100).valid == "unknown"


def test_what_failed_in_the_warm_up_is_not_judged():
    warm_up = [op(0, 10, "fail"), op(20, 30, "fail"), op(40, 50)]
    judgement = judge([*warm_up, *every_100_ms()[1:]], budget_ms=150)
    assert judgement.valid is True
    assert judgement.measured["outage_ms"] == 0.0


def test_an_outage_of_the_warm_up_that_goes_on_counts_from_the_injection():
    operations = [op(0, 10), op(20, 30, "fail"), op(60, 70, "fail"), *every_100_ms(failing=(100, 200))[1:]]
    assert judge(operations).measured["outage_ms"] == 210.0  # 100 to 310


def test_a_history_that_begins_inside_an_outage_is_unknown():
    judgement = judge(every_100_ms(failing=(0, 100)))
    assert judgement.valid == "unknown"
    assert "begins inside" in judgement.unknowns[0]


def test_a_history_that_ends_inside_an_outage_is_unknown():
    judgement = judge(every_100_ms(failing=(2000, 2100)))
    assert judgement.valid == "unknown"
    assert "ends inside" in judgement.unknowns[0]


def test_an_open_outage_whose_known_part_is_too_long_is_false():
    assert judge(every_100_ms(failing=range(0, 900, 100))).valid is False
    judgement = judge(every_100_ms(failing=range(1000, 2200, 100)))
    assert judgement.valid is False
    assert "or more: it had not ended" in judgement.offenders[0].observed


def test_a_client_that_never_had_a_good_answer_is_false_when_that_is_too_long():
    judgement = judge(every_100_ms(failing=range(0, 2200, 100)))
    assert judgement.valid is False
    assert "never a good answer" in judgement.offenders[0].observed


def test_a_client_that_asked_once_in_vain_is_unknown():
    assert judge([op(150, 160, "fail")], disrupted(100, 200)).valid == "unknown"


def test_an_operation_that_never_ended_is_an_outage_to_the_end_of_the_history():
    operations = [*every_100_ms(until_ms=1900), op(2000, None, None)]
    assert judge(operations, end_ms=2300).valid == "unknown"
    judgement = judge(operations, end_ms=9000)
    assert judgement.valid is False
    assert "7000 ms" in judgement.offenders[0].observed


def test_a_request_that_hangs_beside_good_ones_is_no_outage_of_its_length():
    hanging = op(50, 1950, "fail")
    judgement = judge([hanging, *every_100_ms()])
    assert judgement.valid is True
    assert judgement.measured["outage_ms"] == 100.0


def test_operations_that_overlap_are_taken_in_the_order_of_their_ends():
    operations = [op(50, 1950, "fail"), *every_100_ms(until_ms=1800), op(2100, 2110)]
    assert judge(operations).measured["outage_ms"] == 300.0  # 1810 to 2110, around the failure at 1950


def test_the_order_in_which_operations_were_written_does_not_matter():
    operations = every_100_ms(failing=(300, 400))
    assert judge(operations[::-1]).evidence == judge(operations).evidence


def test_an_empty_history_is_unknown():
    assert longest_outage(History(), clients=[CLIENT], budget_ms=1).valid == "unknown"
    assert longest_outage(History(), clients=[], budget_ms=1).valid == "unknown"


def test_a_client_that_is_not_in_the_history_is_unknown():
    judgement = judge(every_100_ms(), clients=[CLIENT, "pull@front-door"])
    assert judgement.valid == "unknown"
    assert judgement.unknowns == ("pull@front-door asked nothing",)


def test_good_answers_without_a_disruption_show_nothing():
    assert judge(every_100_ms(), []).valid == "unknown"


def test_a_client_that_asked_only_before_and_after_is_unknown():
    judgement = judge([op(0, 10), op(50, 60), op(2100, 2110)])
    assert judgement.valid == "unknown"
    assert "asked nothing during fault" in judgement.unknowns[0]


def test_a_disruption_that_is_over_before_a_clients_next_turn_is_covered_by_that_turn():
    assert judge(every_100_ms(), disrupted(120, 180)).valid is True
    missing_its_turn = [op for op in every_100_ms() if not 150 <= op.invoked_ns / 1e6 <= 350]
    judgement = judge(missing_its_turn, disrupted(120, 180))
    assert judgement.valid == "unknown"
    assert "asked nothing during fault" in judgement.unknowns[0]


def test_a_client_of_long_turns_covers_no_short_disruption_of_a_short_budget():
    judgement = judge([op(at, at + 10) for at in range(0, 60_000, 20_000)], disrupted(21_000, 21_500))
    assert judgement.valid == "unknown"


@pytest.mark.parametrize("silent", [(100, 900), (600, 1200), (1400, 2000)])
def test_a_silence_above_the_budget_could_hide_an_outage(silent):
    operations = [op for op in every_100_ms() if not silent[0] <= op.invoked_ns / 1e6 <= silent[1]]
    judgement = judge(operations)
    assert judgement.valid == "unknown"
    assert "asked nothing for" in judgement.unknowns[0]


def test_waiting_for_an_answer_is_no_silence():
    operations = [op(0, 10), op(90, 1950, "fail"), op(1960, 1970), op(2050, 2060)]
    judgement = judge(operations, budget_ms=2000)
    assert judgement.valid is True


def test_a_disruption_without_heal_is_covered_to_the_end():
    assert judge(every_100_ms(), disrupted(100, None)).valid is True
    assert judge(every_100_ms(), disrupted(100, None), end_ms=9000).valid == "unknown"


def test_what_could_not_be_asked_says_nothing_about_harbor():
    operations = every_100_ms()
    for number in range(5, 8):
        operations[number] = op(number * 100, number * 100 + 10, "fail", asked=False)
    judgement = judge(operations, budget_ms=300)
    assert judgement.valid == "unknown"
    assert "could not be asked" in judgement.unknowns[0]
    assert judge(operations, budget_ms=500).valid is True


def test_what_harbor_surely_failed_counts_beside_what_could_not_be_asked():
    operations = every_100_ms(failing=range(300, 1500, 100))
    operations[8] = op(800, 810, "fail", asked=False)
    assert judge(operations).valid is False


def test_outages_do_not_overlap():
    outages = outages_of(every_100_ms(failing=(0, 300, 400, 900)), end_ns=0)
    assert len(outages) == 3
    assert all(before.end_ns <= after.begin_ns for before, after in pairwise(outages))


def test_of_two_injections_while_the_first_bad_one_was_under_way_the_earlier_counts():
    rest = [op(at, at + 10) for at in range(900, 2200, 100)]
    operations = [op(0, 10), op(20, 800, "info"), *rest]
    twice = [event(at, f"fault {at}", name) for at in (100, 300) for name in ("inject", "proven")]
    assert judge(operations, twice).measured["outage_ms"] == 810.0


def test_what_ends_as_it_is_broken_was_under_way():
    rest = [op(at, at + 10) for at in range(900, 2200, 100)]
    operations = [op(0, 10), op(20, 800, "info"), *rest]
    at_its_end = [event(800, "fault", "inject"), event(801, "fault", "proven")]
    assert judge(operations, at_its_end).measured["outage_ms"] == 110.0


def test_of_several_answers_that_are_too_slow_the_slowest_is_told():
    rest = [op(at, at + 10) for at in range(2200, 3000, 100)]
    slow = [op(0, 10), op(600, 1100), op(1200, 2100), op(2110, 2190)]
    judgement = judge([*slow, *rest], budget_ms=400)
    assert "waited 900 ms" in judgement.offenders[0].observed
    assert judgement.measured["slowest_ok_ms"] == 900.0
