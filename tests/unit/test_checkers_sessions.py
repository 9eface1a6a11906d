"""A session is lost when it stays unknown after the heal; one failed request is not a lost session."""

import pytest

from harbor_verify.checkers.sessions import UNKNOWN_SESSION, WRONG_USER, no_session_lost
from harbor_verify.history import CONFIRMING, SESSIONS_LIVE, History
from tests.unit.handwritten import disrupted, event, history, op

FAULT = [*disrupted(100, 200), event(200, "after the heal", CONFIRMING, span_s=0.01)]
"""What is refused is asked for again for 10 ms."""
REPLICAS = ("ui-0", "ui-1")


def login(at_ms, session):
    return op(at_ms, at_ms + 5, client="login@front-door", value={"session": session, "user": "admin"})


def probe(at_ms, replica, session="a", outcome="ok", error=None, **more):
    return op(
        at_ms,
        None if outcome is None else at_ms + 5,
        outcome,
        client=f"session-probe@{replica}",
        value={"session": session, "user": "admin", **more},
        error=error,
    )


def refused(at_ms, replica, session="a"):
    return probe(at_ms, replica, session, "fail", UNKNOWN_SESSION)


def judge(*operations, events=FAULT, replicas=REPLICAS):
    return no_session_lost(history(list(operations), events), replicas=replicas)


def test_a_session_that_every_replica_knows_after_the_heal_is_not_lost():
    judgement = judge(login(0, "a"), probe(300, "ui-0"), probe(310, "ui-1"))
    assert judgement.valid is True
    assert judgement.measured == {"sessions": 1, "lost": 0}


def test_requests_that_failed_while_it_was_broken_do_not_count():
    during = [refused(at, "ui-0") for at in (120, 140, 160, 180)]
    assert judge(login(0, "a"), *during, probe(300, "ui-0"), probe(310, "ui-1")).valid is True


def test_one_refusal_after_the_heal_is_a_spoiled_request_not_a_lost_session():
    operations = [login(0, "a"), refused(300, "ui-0"), probe(310, "ui-0"), probe(320, "ui-1")]
    assert judge(*operations).valid is True


def test_a_session_that_stays_unknown_on_one_replica_is_lost():
    operations = [login(0, "a"), *(refused(at, "ui-0") for at in (300, 310, 320)), probe(330, "ui-1")]
    judgement = judge(*operations)
    assert judgement.valid is False
    (offender,) = judgement.offenders
    assert offender.object == "ui-0"
    assert "1 of them unknown, asked again and again for 0.01 s: a" in offender.observed
    assert judgement.measured["lost"] == 1


def test_a_session_that_was_known_and_then_forgotten_for_good_is_lost():
    operations = [login(0, "a"), probe(300, "ui-0"), *(refused(at, "ui-0") for at in (310, 320, 330))]
    assert judge(*operations, replicas=["ui-0"]).valid is False


def test_too_few_refusals_to_be_sure_are_unknown():
    judgement = judge(login(0, "a"), refused(300, "ui-0"), refused(390, "ui-0"), probe(320, "ui-1"))
    assert judgement.valid == "unknown"
    assert "refused 2 times" in judgement.unknowns[0]


def test_many_refusals_within_a_blink_are_no_loss():
    """Of a pool of stale connections each spoils one request."""
    blink = [refused(300 + n, "ui-0") for n in range(10)]
    judgement = judge(login(0, "a"), *blink, probe(390, "ui-1"))
    assert judgement.valid == "unknown"
    assert "refused 10 times within 4 ms" in judgement.unknowns[0]
    assert judge(login(0, "a"), *blink, probe(340, "ui-0"), probe(390, "ui-1")).valid is True
    assert judge(login(0, "a"), *blink, refused(315, "ui-0"), probe(390, "ui-1")).valid is False


def test_where_the_history_tells_no_span_it_is_ten_seconds():
    refusals = [refused(at, "ui-0") for at in (300, 5000, 10_304)]
    seen = probe(310, "ui-1")
    assert judge(login(0, "a"), *refusals, seen, events=disrupted(100, 200)).valid == "unknown"
    later = refused(10_305, "ui-0")
    assert judge(login(0, "a"), *refusals, later, seen, events=disrupted(100, 200)).valid is False


def test_a_silence_among_the_refusals_takes_nothing_from_them():
    silent = probe(305, "ui-0", "a", "fail", "NoAnswer")
    refusals = [refused(at, "ui-0") for at in (300, 310, 320)]
    assert judge(login(0, "a"), refusals[0], silent, *refusals[1:], probe(330, "ui-1")).valid is False


def test_a_probe_that_failed_otherwise_does_not_tell_whether_the_session_lives():
    last = probe(330, "ui-0", "a", "fail", "NoAnswer")
    judgement = judge(login(0, "a"), last, probe(340, "ui-1"))
    (unknown,) = judgement.unknowns
    assert "another reason (NoAnswer)" in unknown
    refusals = [refused(at, "ui-0") for at in (300, 310, 320)]
    assert judge(login(0, "a"), *refusals, last, probe(340, "ui-1")).valid == "unknown"


def test_a_session_without_a_final_probe_on_some_replica_is_unknown():
    judgement = judge(login(0, "a"), probe(300, "ui-0"))
    assert judgement.valid == "unknown"
    assert judgement.unknowns == ("session a on ui-1: not asked for after the heal",)


def test_a_probe_that_began_before_the_heal_is_not_final():
    assert judge(login(0, "a"), probe(199, "ui-0"), replicas=["ui-0"]).valid == "unknown"


def test_a_probe_that_never_ended_is_no_final_probe():
    pending = probe(310, "ui-0", outcome=None)
    assert judge(login(0, "a"), pending, replicas=["ui-0"]).valid == "unknown"
    assert judge(login(0, "a"), probe(300, "ui-0"), pending, replicas=["ui-0"]).valid is True


def test_a_session_that_nobody_used_for_as_long_as_harbor_keeps_one_is_not_called_lost():
    """It would have ended without the disruption: a Session Timeout of a minute, and an experiment of two."""
    refusals = [refused(at, "ui-0") for at in (300, 310, 320)]
    kept = event(0, "sessions", SESSIONS_LIVE, unused_s=0.295)
    judgement = judge(login(0, "a"), *refusals, replicas=["ui-0"], events=[kept, *FAULT])
    assert judgement.valid == "unknown"
    assert "nobody had used it for 0 s, and Harbor keeps an unused one for 0.295 s" in judgement.unknowns[0]


@pytest.mark.parametrize(
    "used",
    [
        pytest.param(probe(280, "ui-1"), id="it was used meanwhile"),
        pytest.param(probe(330, "ui-1"), id="another replica knows it still"),
        pytest.param(login(20, "a"), id="it is younger"),
    ],
)
def test_a_session_that_was_used_is_lost_however_short_harbor_keeps_an_unused_one(used):
    refusals = [refused(at, "ui-0") for at in (300, 310, 320)]
    kept = event(0, "sessions", SESSIONS_LIVE, unused_s=0.295)
    operations = sorted([login(0, "a"), *refusals, used], key=lambda each: each.invoked_ns)
    assert judge(*operations, replicas=["ui-0"], events=[kept, *FAULT]).valid is False


def test_what_is_surely_lost_outweighs_what_is_unknown():
    refusals = [refused(at, "ui-0") for at in (300, 310, 320)]
    judgement = judge(login(0, "a"), *refusals)
    assert judgement.valid is False
    assert judgement.unknowns


def test_a_session_that_was_never_acknowledged_is_not_awaited():
    unproven = op(150, 160, "info", client="login@front-door", value={"session": "b", "user": "admin"})
    assert judge(login(0, "a"), unproven, probe(300, "ui-0"), probe(310, "ui-1")).valid is True


def test_a_session_that_began_while_it_was_broken_is_awaited_too():
    judgement = judge(login(0, "a"), login(150, "b"), probe(300, "ui-0"), probe(310, "ui-1"))
    assert judgement.valid == "unknown"
    assert all("session b" in unknown for unknown in judgement.unknowns)


def test_a_session_that_its_user_ended_is_not_awaited():
    out = op(150, 160, client="log-out@ui-0", value={"session": "b"})
    assert judge(login(0, "a"), login(1, "b"), out, probe(300, "ui-0"), probe(310, "ui-1")).valid is True


def test_a_session_that_is_somebody_elses_is_wrong_at_any_time():
    mixed = probe(50, "ui-0", "a", "fail", WRONG_USER, answered="dev1")
    judgement = judge(login(0, "a"), mixed, probe(300, "ui-0"), probe(310, "ui-1"))
    assert judgement.valid is False
    assert judgement.offenders[0].observed == "dev1"


def test_only_probes_after_the_last_of_several_disruptions_are_final():
    events = [*FAULT, *disrupted(400, 500, "second")]
    assert judge(login(0, "a"), probe(300, "ui-0"), events=events, replicas=["ui-0"]).valid == "unknown"
    assert judge(login(0, "a"), probe(600, "ui-0"), events=events, replicas=["ui-0"]).valid is True


@pytest.mark.parametrize("events", [[], disrupted(100, None), [*FAULT, *disrupted(150, None, "second")]])
def test_without_a_healed_disruption_nothing_is_known(events):
    assert judge(login(0, "a"), probe(300, "ui-0"), probe(310, "ui-1"), events=events).valid == "unknown"


def test_nothing_to_judge_is_unknown():
    assert no_session_lost(History(), replicas=REPLICAS).valid == "unknown"
    assert judge().valid == "unknown"
    assert judge(login(0, "a"), replicas=[]).valid == "unknown"
