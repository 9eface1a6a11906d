"""What answers a fault, and whether all is whole again, are claims: what does not come in time is Harbor's failure."""

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.response import response
from harbor_verify.checkers.whole_again import whole_again
from tests.unit.handwritten import disrupted, event, history

KILL = "kill database"
TAKES_OVER = "another server takes over"


def killed(*more, proven=True):
    events = [event(100, KILL, "inject")]
    return history([], [*events, *([event(110, KILL, "proven")] if proven else []), *more])


def test_a_takeover_within_its_budget_is_well_and_measured():
    judgement = response(killed(event(4100, KILL, "responded", expected=TAKES_OVER)), budget_ms=4000)
    assert judgement.valid is True
    assert judgement.measured == {"response_ms": 4000.0}


def test_a_takeover_after_its_budget_is_false():
    judgement = response(killed(event(4101, KILL, "responded", expected=TAKES_OVER)), budget_ms=4000)
    (offender,) = judgement.offenders
    assert (offender.object, offender.observed) == (KILL, "after 4001 ms")
    assert offender.expected == "another server takes over, within 4000 ms"


def test_a_standby_that_never_takes_over_is_false_with_what_was_seen():
    late = event(120_100, KILL, "not-responded", expected=TAKES_OVER, observed="it is still led to db-1")
    (offender,) = response(killed(late)).offenders
    assert offender.expected == TAKES_OVER
    assert offender.observed == "not after 120000 ms: it is still led to db-1"


def test_what_was_never_broken_need_not_be_answered():
    late = event(900, KILL, "not-responded", expected=TAKES_OVER, observed="it is still led to db-1")
    judged = killed(event(150, KILL, "not-proven", observed="it still runs"), late, proven=False)
    assert response(judged).valid == "unknown"
    assert fault_confirmed(judged).valid == "unknown"


def test_an_answer_that_could_not_be_seen_is_unknown():
    unseen = event(900, KILL, "response-unseen", expected=TAKES_OVER, observed="no way to the API server")
    judgement = response(killed(unseen))
    assert judgement.valid == "unknown"
    assert "no way to the API server" in judgement.unknowns[0]


def test_a_disruption_that_awaits_nothing_is_well():
    assert response(killed()).valid is True


def test_each_of_two_disruptions_has_its_own_response():
    second = [event(9000, KILL, "inject"), event(9001, KILL, "proven")]
    late = event(9900, KILL, "not-responded", expected=TAKES_OVER, observed="nobody")
    judged = killed(event(200, KILL, "responded", expected=TAKES_OVER), *second, late)
    assert [offender.observed for offender in response(judged).offenders] == ["not after 900 ms: nobody"]


def test_what_was_healed_is_whole_again():
    assert whole_again(history([], disrupted(100, 200))).valid is True


def test_what_is_not_whole_at_the_end_of_the_wait_is_false():
    late = event(120_100, KILL, "not-healed", late=True, observed="2 of 3 replicas Ready")
    (offender,) = whole_again(killed(late)).offenders
    assert offender.observed == "not after 120000 ms: 2 of 3 replicas Ready"


@pytest.mark.parametrize(
    "events, told",
    [
        ([event(900, KILL, "not-healed", late=False, observed="no way to the node")], "no way to the node"),
        ([], "was not healed"),
    ],
)
def test_what_kept_from_healing_is_not_harbors_doing(events, told):
    judgement = whole_again(killed(*events))
    assert judgement.valid == "unknown"
    assert told in judgement.unknowns[0]


def test_nothing_disrupted_is_unknown():
    assert whole_again(history([], [])).valid == "unknown"
