"""What was acknowledged is there: judged on histories written by hand."""

import pytest

from harbor_verify.checkers.pushes import no_acknowledged_push_lost, no_wrong_content
from harbor_verify.history import CONFIRMING
from tests.unit.handwritten import disrupted, event, history, op

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FAULT = [*disrupted(100, 200), event(200, "after the heal", CONFIRMING, span_s=0.01)]
"""What is refused is asked for again for 10 ms."""


def push(at_ms, digest, outcome="ok"):
    return op(at_ms, at_ms + 5, outcome, client="push@front-door", value={"digest": digest})


def pulled(at_ms, digest, replica, outcome="ok", **more):
    more.setdefault("status", 200 if outcome == "ok" else 404)
    client = f"pull-back@{replica}"
    return op(at_ms, at_ms + 5, outcome, client=client, value={"digest": digest}, **more)


def judged(*operations, events=FAULT, replicas=("registry-0", "registry-1"), passers=()):
    return no_acknowledged_push_lost(history(list(operations), events), replicas=replicas, passers=passers)


def everywhere(digest):
    return [pulled(300, digest, "registry-0"), pulled(310, digest, "registry-1")]


def test_what_is_pulled_back_from_every_replica_is_not_lost():
    found = judged(push(90, A), push(150, B), *everywhere(A), *everywhere(B))
    assert found.valid is True
    assert found.measured == {"pushes": 2, "pushes_lost": 0}


def test_what_three_answers_deny_on_one_replica_is_lost():
    denied = [pulled(300 + 8 * n, A, "registry-1", "fail") for n in range(3)]
    found = judged(push(150, A), pulled(300, A, "registry-0"), *denied)
    assert found.valid is False
    assert found.offenders[0].object == "registry-1"
    assert A[:19] in found.offenders[0].observed
    assert found.measured["pushes_lost"] == 1


def test_other_bytes_are_a_loss():
    wrong = [pulled(300 + 8 * n, A, "registry-1", "fail", status=200, error="WrongContent") for n in range(3)]
    assert judged(push(150, A), pulled(300, A, "registry-0"), *wrong).valid is False


def test_three_denials_within_a_blink_are_no_loss():
    denied = [pulled(300 + n, A, "registry-1", "fail") for n in range(3)]
    found = judged(push(150, A), pulled(300, A, "registry-0"), *denied)
    assert found.valid == "unknown"
    assert "too soon after one another" in found.unknowns[0]


def test_one_denial_that_is_taken_back_is_no_loss():
    again = [pulled(300, A, "registry-1", "fail"), pulled(310, A, "registry-1")]
    assert judged(push(150, A), pulled(300, A, "registry-0"), *again).valid is True


def test_each_image_is_asked_of_one_of_those_who_pass_images_on():
    asked = [push(90, A), push(150, B), *everywhere(A), *everywhere(B)]
    in_turn = [pulled(320, A, "core-0"), pulled(320, B, "core-1")]
    assert judged(*asked, *in_turn, passers=("core-0", "core-1")).valid is True
    found = judged(*asked, in_turn[0], passers=("core-0", "core-1"))
    assert found.valid == "unknown"
    assert found.unknowns == (f"{B[:19]} on each that passes images on: not asked for after the heal",)


def test_what_one_who_passes_images_on_denies_is_lost():
    denied = [pulled(300 + 8 * n, A, "core-1", "fail") for n in range(3)]
    found = judged(push(150, A), *everywhere(A), *denied, passers=("core-0", "core-1"))
    assert found.valid is False
    assert found.offenders[0].object == "core-1"


@pytest.mark.parametrize("outcome", ["fail", "info"])
def test_what_was_not_acknowledged_may_be_there_or_not(outcome):
    assert judged(push(90, A), push(150, B, outcome), *everywhere(A)).valid is True


@pytest.mark.parametrize(
    "operations, events, told",
    [
        ([push(150, A)], FAULT, "not asked for after the heal"),
        ([push(150, A), *everywhere(A)], [], "nothing was disrupted"),
        ([push(150, A), *everywhere(A)], disrupted(100, None), "not healed"),
        ([push(150, A, "info")], FAULT, "no push was acknowledged"),
        (
            [push(150, A), pulled(120, A, "registry-0"), pulled(130, A, "registry-1")],
            FAULT,
            "not asked for after the heal",
        ),
        (
            [push(150, A), pulled(300, A, "registry-0"), *[pulled(310, A, "registry-1", "fail")] * 2],
            FAULT,
            "refused 2 times",
        ),
        (
            [
                push(150, A),
                pulled(300, A, "registry-0"),
                *[pulled(310, A, "registry-1", "fail", status=500)] * 3,
            ],
            FAULT,
            "another reason",
        ),
        (
            [
                push(150, A),
                pulled(300, A, "registry-0"),
                *[pulled(310, A, "registry-1", "fail", status=None)] * 3,
            ],
            FAULT,
            "another reason",
        ),
    ],
)
def test_what_the_history_does_not_tell_is_unknown(operations, events, told):
    found = judged(*operations, events=events)
    assert found.valid == "unknown"
    assert told in " ".join(found.unknowns)


def test_without_replicas_nothing_is_known():
    assert judged(push(150, A), replicas=()).valid == "unknown"


def test_wrong_bytes_at_any_time_are_told():
    good = op(10, 20, client="pull@registry-0", value={"digest": A})
    wrong = op(30, 40, "fail", client="pull@registry-1", value={"digest": A}, error="WrongContent")
    assert no_wrong_content(history([good], [])).valid is True
    found = no_wrong_content(history([good, wrong], []))
    assert [o.object for o in found.offenders] == ["registry-1"]
    assert no_wrong_content(history([], [])).valid == "unknown"
