"""Availability is judged from the injection on: to the nanosecond, and by the good answers until then."""

import pytest

from harbor_verify.checkers.availability import outages, since_injection
from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.checkers.outage import longest_outage
from tests.unit.handwritten import CLIENT, disrupted, history, op

FAULT = [*disrupted(100, 200), *disrupted(300, 400, "second")]


def test_what_had_not_ended_at_the_first_injection_counts():
    before, at, later, pending = op(0, 99.999999), op(90, 100), op(150, 160), op(95, None, None)
    made = history([before, at, later, pending], FAULT)
    assert since_injection(made, CLIENT) == [at, later, pending]


def test_of_what_ended_before_the_first_injection_only_the_good_is_looked_at():
    bad, good, other = op(0, 10, "fail"), op(20, 30), op(20, 30, client="pull@front-door")
    bad_since, pending = op(90, 100, "fail"), op(95, None, None)
    (outage,) = outages(history([bad, good, other, bad_since, pending], FAULT), CLIENT)
    assert (outage.begin_ns, outage.failed) == (30_000_000, 2)


def test_where_nothing_was_injected_all_is_looked_at():
    made = history([op(0, 0, "fail"), op(10, 20, "fail"), op(30, 40)], [])
    assert since_injection(made, CLIENT) == list(made.operations)
    assert [outage.failed for outage in outages(made, CLIENT)] == [2]


@pytest.mark.parametrize("ended_ms, valid", [(99.999999, True), (100, False)])
def test_a_request_that_failed_at_the_moment_of_the_injection_is_the_disruptions_doing(ended_ms, valid):
    operations = [op(0, 10), op(20, ended_ms, "fail"), op(110, 410)]
    assert failed_requests(history(operations, FAULT), clients=[CLIENT], budget=0).valid is valid


def test_an_outage_begins_no_earlier_than_the_last_good_answer_before():
    operations = [op(10, 20), op(0, 60), op(50, 450, "fail"), op(460, 470)]
    (outage,) = longest_outage(history(operations, FAULT), clients=[CLIENT], budget_ms=1000).evidence[
        "clients"
    ][CLIENT]["outages"]
    assert outage["begin_ns"] == 60_000_000
