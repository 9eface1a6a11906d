"""Who had no network says nothing of Harbor: seen by all who could not so much as ask."""

import pytest

from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.history.cut_off import cut_off, unasked_while_cut_off
from tests.unit.handwritten import CLIENT, disrupted, history, op

FAULT = disrupted(100, 2000)
SILENT = {"outcome": "fail", "error": "NoAnswer"}
CLOSED = {"outcome": "fail", "asked": False, "error": "TargetUnreachable"}


def asks(client, *, failing=(), uid="", until_ms=2100, **how):
    """One of 10 ms each 100 ms; those that begin from the first to the second of `failing` end as `how` says."""
    first, last = failing or (-1, -1)
    return [
        op(at, at + 10, client=client, uid=uid, **(how if first <= at <= last else {}))
        for at in range(0, until_ms, 100)
    ]


def judged(*operations):
    found = unasked_while_cut_off(history([each for ops in operations for each in ops], FAULT))
    return longest_outage(found, clients=[CLIENT], budget_ms=500), failed_requests(
        found, clients=[CLIENT], budget=0
    )


def test_where_nobody_could_ask_meanwhile_the_front_door_is_unknown():
    found = judged(
        asks(CLIENT, failing=(400, 1200), **SILENT),
        asks("web-0", failing=(300, 1300), uid="a", **CLOSED),
        asks("web-1", failing=(400, 1100), uid="b", **CLOSED),
    )
    assert [each.valid for each in found] == ["unknown", "unknown"]
    assert "could not be asked" in found[0].unknowns[0]


@pytest.mark.parametrize(
    "others",
    [
        [asks("web-0", failing=(300, 1300), uid="a", **CLOSED), asks("web-1", uid="b")],
        [asks("web-0", failing=(300, 1300), uid="a", **SILENT)],
        [asks("web-0", failing=(1600, 1900), uid="a", **CLOSED)],
        [asks("page@front-door", failing=(300, 1300), **CLOSED)],
        [],
    ],
    ids=["one-could", "asked-in-vain", "later", "no-replica's", "alone"],
)
def test_where_somebody_could_ask_it_is_an_outage(others):
    outage, failed = judged(asks(CLIENT, failing=(400, 1200), **SILENT), *others)
    assert (outage.valid, failed.valid) == (False, False)


def test_what_was_answered_badly_was_asked():
    outage, _ = judged(
        asks(CLIENT, failing=(400, 1200), outcome="fail", status=502),
        asks("web-0", failing=(300, 1300), uid="a", **CLOSED),
    )
    assert outage.valid is False


def test_the_time_is_what_all_have_in_common_and_a_pod_that_is_gone_tells_nothing():
    operations = [
        *asks("web-0", failing=(300, 1300), uid="a", **CLOSED),
        *asks("web-1", failing=(500, 1500), uid="b", **CLOSED),
        op(600, 610, "fail", client="web-2", uid="c", asked=False, error="PodGone"),
    ]
    # From the last answer before to the next that was asked.
    assert cut_off(history(operations, FAULT)) == [(410e6, 1310e6), (1310e6, 1400e6)]


def test_who_asks_only_later_takes_nothing_from_it():
    operations = [
        *asks("web-0", failing=(300, 1300), uid="a", **CLOSED),
        op(1800, 1900, client="login-again@web-0", uid="a"),
    ]
    assert cut_off(history(operations, FAULT)) == [(210e6, 1310e6), (1310e6, 1400e6)]


def test_who_could_ask_before_and_after_could_in_between():
    operations = [
        *asks("web-0", failing=(300, 1300), uid="a", **CLOSED),
        op(700, 710, client="web-1", uid="b"),
        op(900, 910, client="web-1", uid="b"),
    ]
    assert cut_off(history(operations, FAULT))[:2] == [(210e6, 700e6), (910e6, 1310e6)]


def test_one_that_lasts_to_the_end_ends_with_the_last_that_asked():
    operations = asks("web-0", failing=(300, 9999), uid="a", **CLOSED)
    assert cut_off(history(operations, FAULT, end_ms=5000)) == [(210e6, 2010e6)]
