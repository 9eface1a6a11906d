"""Failed requests are counted by client and error class; what is not settled can only add to them."""

import pytest

from harbor_verify.checkers.ended_connections import by_clients, by_who_passes_on
from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.history import History
from tests.unit.handwritten import CLIENT, disrupted, event, history, op

FAULT = disrupted(100, 2000)


def judge(operations, budget=0, *, events=FAULT, clients=(CLIENT,)):
    return failed_requests(history(operations, events), clients=clients, budget=budget)


def test_no_failure_is_within_any_budget():
    assert judge([op(0, 10), op(200, 210)]).valid is True


def test_the_budget_is_a_number_that_may_be_reached():
    operations = [op(0, 10), op(200, 210, "fail", error="NoAnswer"), op(300, 310, "fail", error="NoAnswer")]
    assert judge(operations, 2).valid is True
    assert judge(operations, 1).valid is False


def test_a_failure_names_client_error_classes_and_counts():
    operations = [
        op(200, 210, "fail", error="NoAnswer"),
        op(300, 310, "fail", error="NoAnswer"),
        op(400, 410, "info", error="UnexpectedAnswer", status=504),
        op(500, 510),
    ]
    judgement = judge(operations)
    (offender,) = judgement.offenders
    assert offender.object == CLIENT
    assert offender.observed == "3 of 4: NoAnswer: 2, UnexpectedAnswer 504 (outcome unknown): 1"
    assert judgement.measured == {"failed": 3}


def test_what_failed_before_anything_was_broken_does_not_count():
    assert judge([op(0, 10, "fail"), op(20, 30), op(200, 210)]).valid is True
    assert judge([op(0, 101, "fail"), op(200, 210)]).valid is False, "that was under way"


def test_each_client_has_the_budget_for_itself():
    operations = [op(200, 210, "fail", client="pull@ui-0"), op(200, 210, "fail", client="pull@ui-1")]
    assert judge(operations, 1, clients=["pull@ui-0", "pull@ui-1"]).valid is True
    assert len(judge(operations, 0, clients=["pull@ui-0", "pull@ui-1"]).offenders) == 2


def test_a_client_that_was_not_named_is_not_judged():
    assert judge([op(200, 210), op(200, 210, "fail", client="pull@ui-0")]).valid is True


def test_operations_that_never_ended_or_were_never_asked_are_unknown_where_they_matter():
    for unsettled in (op(300, None, None), op(300, 310, "fail", asked=False)):
        operations = [op(200, 210), unsettled]
        assert judge(operations, 0).valid == "unknown"
        assert judge(operations, 1).valid is True
        assert judge([*operations, op(400, 410, "fail"), op(500, 510, "fail")], 1).valid is False


def test_overlapping_failures_are_all_counted():
    assert judge([op(200, 900, "fail"), op(300, 800, "fail"), op(400, 500)], 1).valid is False


def test_nothing_to_judge_is_unknown():
    assert failed_requests(History(), clients=[CLIENT], budget=9).valid == "unknown"
    assert judge([op(200, 210)], clients=[]).valid == "unknown"
    assert judge([op(200, 210)], events=[]).valid == "unknown"
    assert judge([op(0, 10), op(3000, 3010)]).valid == "unknown"


def pod_ends(uid, *, deleted_ms, forgotten_ms, ended_ms, workload="registry"):
    """What a watch tells of a pod that ends in good order."""
    names = (deleted_ms, "pod-deleting"), (forgotten_ms, "endpoint-removed"), (ended_ms, "pod-not-ready")
    told = [event(at, workload, name, uid=uid) for at, name in names]
    return [*told, event(ended_ms + 900, workload, "pod-deleted", uid=uid)]


def push(start_ms, end_ms, status=502, **more):
    return op(
        start_ms, end_ms, "info", client="push@front-door", error="UnexpectedAnswer", status=status, **more
    )


def rolled(*operations, events=(), kept=None):
    """One pod of the registry ended a restart, deleted at 1000, forgotten at 1200, told of as ended at 7000."""
    ends = pod_ends("a", deleted_ms=1000, forgotten_ms=1200, ended_ms=7000)
    good = [op(at, at + 10, client="push@front-door") for at in range(0, 20_000, 500)]
    made = history([*good, *operations], [*disrupted(900, 15_000), *ends, *events])
    return failed_requests(
        made, clients=["push@front-door"], budget=0, kept=[kept or by_who_passes_on("registry")]
    )


@pytest.mark.parametrize("start_ms, end_ms", [(6100, 6400), (2200, 4000), (7000, 7100), (2200, 9000)])
def test_a_push_that_meets_the_end_of_a_kept_connection_is_harbors_own(start_ms, end_ms):
    judgement = rolled(push(start_ms, end_ms))
    assert judgement.valid is True
    assert judgement.measured == {"failed": 1}, "it is a figure all the same"
    assert "a push was answered 502 as a pod of registry ended" in judgement.flaws[0]


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(push(2199, 4100), id="somebody may have been led there"),
        pytest.param(push(2300, 3999), id="the program was at work"),
        pytest.param(push(7001, 7100), id="the program had ended"),
        pytest.param(push(6100, 6400, status=500), id="somebody answered"),
        pytest.param(push(6100, 6400, status=None), id="nobody answered"),
        pytest.param(push(6100, 6400, kind="pull"), id="would have been sent again"),
    ],
)
def test_what_failed_otherwise_while_a_pod_ended_is_judged(failed):
    judgement = rolled(failed)
    assert judgement.valid is False
    assert judgement.flaws == ()


def test_one_push_for_each_pod_is_harbors_own_and_the_next_is_not():
    both = push(6100, 6400), push(6200, 6500)
    judgement = rolled(*both)
    assert judgement.valid is False
    assert judgement.measured == {"failed": 2}
    other = pod_ends("b", deleted_ms=4000, forgotten_ms=4100, ended_ms=8000)
    judgement = rolled(*both, events=other)
    assert judgement.valid is True
    assert judgement.flaws[0].endswith("docker's own client pushes again (2 times)")


def test_a_pod_that_is_gone_has_ended_though_nobody_told_that_it_was_not_ready():
    told = pod_ends("a", deleted_ms=1000, forgotten_ms=1200, ended_ms=7000)
    told = [each for each in told if each.name != "pod-not-ready"]
    good = [op(at, at + 10, client="push@front-door") for at in range(0, 20_000, 500)]
    made = history([*good, push(7800, 7850)], [*disrupted(900, 15_000), *told])
    judgement = failed_requests(
        made, clients=["push@front-door"], budget=0, kept=[by_who_passes_on("registry")]
    )
    assert judgement.valid is True


def test_the_end_of_pods_that_nothing_is_passed_on_to_explains_nothing():
    assert rolled(push(6100, 6400), kept=by_who_passes_on("web")).valid is False


def test_a_pod_that_no_service_led_to_or_that_was_not_deleted_explains_nothing():
    alone = [event(1000, "other", "pod-deleting", uid="c"), event(7000, "other", "pod-not-ready", uid="c")]
    restarted = [
        event(1000, "other", "endpoint-removed", uid="d"),
        event(7000, "other", "pod-not-ready", uid="d"),
    ]
    assert (
        rolled(push(6100, 6400), events=[*alone, *restarted], kept=by_who_passes_on("other")).valid is False
    )


def kept_by_clients():
    return by_clients("registry", "front-door")


@pytest.mark.parametrize("cause", ["RemoteDisconnected", "ConnectionResetError", "BrokenPipeError"])
def test_whatever_a_client_sends_over_its_own_connection_as_that_ends_is_nobodys_fault(cause):
    silent = push(6100, 6400, status=None, kind="session-probe", value={"cause": cause})
    judgement = rolled(silent, kept=kept_by_clients())
    assert judgement.valid is True
    (flaw,) = judgement.flaws
    assert flaw == (
        "an operation had no answer as a pod of registry ended in good order: its client had kept the connection, "
        "which was just being closed; other clients send it again"
    )
    elsewhere = push(6100, 6400, status=None, replica="web-0", value={"cause": cause})
    assert rolled(elsewhere, kept=kept_by_clients()).valid is False


@pytest.mark.parametrize("cause", ["ConnectionRefusedError", "TimeoutError", None])
def test_another_silence_as_a_pod_ends_is_judged(cause):
    silent = push(6100, 6400, status=None, value={"cause": cause} if cause else {})
    assert rolled(silent, kept=kept_by_clients()).valid is False
