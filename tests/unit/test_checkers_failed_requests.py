"""Failed requests are counted by client and error class; what is not settled can only add to them."""

from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.history import History
from tests.unit.handwritten import CLIENT, disrupted, history, op

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
