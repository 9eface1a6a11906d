"""The account that clients at work use was made, and that was acknowledged: it is there in the end, or it is lost."""

import pytest

from harbor_verify.checkers.accounts import ACCOUNT_MISSING, READ, no_account_lost
from harbor_verify.clients.capabilities import Robot
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.history import CONFIRMING, Recorder
from harbor_verify.workloads.accounts import read_accounts
from tests.unit.handwritten import disrupted, event, history, op

FAULT = [*disrupted(10, 100), event(100, "after the heal", CONFIRMING, span_s=0.01)]
"""What is refused is asked for again for 10 ms."""


def read(at_ms, *, error=None, account="robot$a"):
    outcome = "fail" if error else "ok"
    return op(at_ms, at_ms + 5, outcome, client=f"{READ}@front-door", error=error, value={"account": account})


def judge(*operations, events=FAULT):
    return no_account_lost(history(list(operations), events))


def gone(*at_ms, account="robot$a"):
    return [read(at, error=ACCOUNT_MISSING, account=account) for at in at_ms]


def test_an_account_that_is_known_after_the_heal_is_kept():
    judgement = judge(read(110))
    assert judgement.valid is True
    assert judgement.measured == {"accounts_lost": 0}
    assert judgement.evidence == {"accounts": ["robot$a"]}


def test_one_that_harbor_does_not_know_again_and_again_is_lost():
    judgement = judge(*gone(110, 120, 130), read(110, account="robot$b"))
    assert judgement.valid is False
    (offender,) = judgement.offenders
    assert offender.object == "account robot$a"
    assert offender.expected == "is known: Harbor acknowledged that it was made, before anything was broken"
    assert offender.observed == "404, asked again and again for 0.01 s"
    assert judgement.measured == {"accounts_lost": 1}


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param(gone(110, 120), id="too few"),
        pytest.param(gone(110, 111, 112), id="too soon after one another"),
        pytest.param([*gone(110, 120), read(130, error="UnexpectedAnswer")], id="another answer in the end"),
        pytest.param([], id="nobody asked"),
        pytest.param(gone(60, 70, 80), id="before the heal"),
    ],
)
def test_what_was_not_found_out_is_unknown(reads):
    judgement = judge(*reads)
    assert judgement.valid == "unknown"
    assert judgement.offenders == ()


def test_one_that_comes_back_is_kept():
    assert judge(*gone(110, 120, 130), read(140)).valid is True


def test_without_a_healed_disruption_nothing_is_known():
    assert judge(*gone(110, 120, 130), events=disrupted(10, None)).valid == "unknown"
    assert judge(read(110), events=[]).valid == "unknown"


class Harbor:
    """It has robot 7, and answers 500 of robot 9."""

    def knows_robot(self, robot_id, credentials):
        if robot_id == 9:
            raise UnexpectedAnswer("→ 500", status=500)
        return robot_id == 7


def test_each_account_is_asked_for_until_it_is_known_or_was_missing_for_long_enough():
    recorder = Recorder()
    robots = [Robot(number, Credentials(f"robot${number}", "secret")) for number in (7, 8, 9)]
    last = read_accounts(recorder, "front-door", Harbor(), robots, Credentials("admin", "a"), span_s=0.05)
    assert [(each.ok, each.error) for each in last] == [
        (True, None),
        (False, ACCOUNT_MISSING),
        (False, "UnexpectedAnswer"),
    ]
    asked = [each.value["account"] for each in recorder.history().operations]
    assert asked.count("robot$7") == 1
    assert asked.count("robot$8") >= 3
    assert "secret" not in str(recorder.history())
