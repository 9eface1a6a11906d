"""What is written through the API, judged as a set is in Jepsen: on histories written by hand."""

import pytest

from harbor_verify.checkers.stale_reads import STALE_READ, no_stale_read
from harbor_verify.checkers.writes import READ, VALUES_MISSING, WRITE, no_write_lost
from harbor_verify.history import CONFIRMING
from tests.unit.handwritten import disrupted, event, history, op

FAULT = [*disrupted(10, 100), event(100, "after the heal", CONFIRMING, span_s=0.01)]
"""What is refused is asked for again for 10 ms."""


def write(start_ms, name, outcome="ok", **more):
    told = {"project": "p", "value": name, "reader": "web-1", "reader_uid": "uid-1", **more.pop("value", {})}
    if outcome == "ok":
        told["acknowledged"] = True
    return op(start_ms, start_ms + 5, outcome, client=f"{WRITE}@front-door", value=told, **more)


def read(start_ms, *values, missing=(), replica="web-0", outcome=None, **more):
    outcome = outcome or ("fail" if missing else "ok")
    told = {"project": "p", "values": list(values), "missing": list(missing)}
    more.setdefault("error", VALUES_MISSING if missing else None)
    return op(start_ms, start_ms + 5, outcome, client=f"{READ}@{replica}", value=told, **more)


def missed(*values, missing, replica="web-0"):
    return [read(at, *values, missing=missing, replica=replica) for at in (110, 120, 130)]


def judged(*operations, events=FAULT, replicas=("web-0",)):
    return no_write_lost(history(list(operations), events), replicas=replicas)


def test_values_that_are_there_in_the_end_are_well():
    judgement = judged(write(1, "a"), write(20, "b"), read(110, "a", "b"))
    assert judgement.valid is True
    assert judgement.measured == {"writes": 2, "writes_lost": 0}


def test_the_last_two_acknowledged_writes_lost_are_named():
    """What a failover to a standby that lags does."""
    writes = [write(at, value) for at, value in ((1, "a"), (20, "b"), (30, "c"), (40, "d"))]
    judgement = judged(*writes, *missed("a", "b", missing=["c", "d"]))
    assert judgement.valid is False
    (offender,) = judgement.offenders
    assert offender.object == "web-0"
    assert "not c, d" in offender.observed
    assert judgement.measured["writes_lost"] == 2


def test_a_write_without_an_answer_excuses_no_lost_one():
    writes = [write(1, "a"), write(20, "b"), write(30, "c", "info", error="NoAnswer")]
    assert judged(*writes, *missed("a", "c", missing=["b"])).valid is False
    assert judged(*writes, *missed("a", missing=["b"])).valid is False


@pytest.mark.parametrize("landed", [(), ("c",)])
def test_a_write_without_an_answer_may_be_there_or_not_for_ever(landed):
    writes = [write(20, "a"), write(30, "c", "info", error="NoAnswer"), write(40, "d")]
    judgement = judged(*writes, read(110, "a", "d", *landed))
    assert judgement.valid is True
    assert judgement.evidence["possible"] == ["c"]
    assert judgement.evidence["recovered"] == list(landed)


def test_a_write_that_lands_late_is_no_failure():
    """A replica that hung executes, when it goes on, what its client had given up long before."""
    late = write(20, "a", "info", error="NoAnswer")
    reads = [read(110, "b", replica="web-0"), read(120, "a", "b", replica="web-1")]
    assert judged(late, write(30, "b"), *reads, replicas=("web-0", "web-1")).valid is True


def test_a_write_that_never_ended_may_be_there_or_not():
    pending = op(30, None, None, client=f"{WRITE}@front-door", value={"project": "p", "value": "c"})
    for landed in ((), ("c",)):
        assert judged(write(20, "a"), pending, read(110, "a", *landed)).valid is True


def test_what_was_refused_and_is_there_and_what_nobody_wrote_are_unexpected():
    refused = write(30, "b", "fail", status=403, error="UnexpectedAnswer")
    assert judged(write(20, "a"), refused, read(110, "a")).valid is True
    judgement = judged(write(20, "a"), refused, read(110, "a", "b"))
    assert [offender.observed for offender in judgement.offenders] == ["b"]
    assert judged(write(20, "a"), read(110, "a", "zz")).valid is False


def test_an_acknowledged_write_whose_reader_was_silent_or_late_was_acknowledged():
    silent = write(20, "a", "info", error="NoAnswer", value={"acknowledged": True})
    stale = write(30, "b", "fail", error=STALE_READ, value={"acknowledged": True})
    assert judged(silent, stale, read(110, "a", "b")).valid is True
    assert judged(silent, stale, *missed("a", missing=["b"])).valid is False


def test_what_one_replica_alone_lacks_is_told_of_that_one():
    reads = [read(110, "a", replica="web-0"), *missed(missing=["a"], replica="web-1")]
    (offender,) = judged(write(20, "a"), *reads, replicas=("web-0", "web-1")).offenders
    assert offender.object == "web-1"


@pytest.mark.parametrize(
    "operations, events, told",
    [
        ([read(110, "a")], FAULT, "no write was acknowledged"),
        ([write(20, "a")], FAULT, "web-0 did not say"),
        ([write(20, "a"), read(50, "a")], FAULT, "web-0 did not say"),
        (
            [write(20, "a"), op(110, 115, "fail", client=f"{READ}@web-0", error="NoAnswer")],
            FAULT,
            "another reason (NoAnswer)",
        ),
        ([write(20, "a"), read(110, missing=["a"])], FAULT, "too few"),
        ([write(20, "a"), *[read(110 + n, missing=["a"]) for n in range(5)]], FAULT, "too soon"),
        ([write(20, "a"), read(110, "a")], [], "nothing was disrupted"),
        ([write(20, "a"), read(110, "a")], disrupted(10, None), "was not healed"),
    ],
)
def test_what_the_history_does_not_tell_is_unknown(operations, events, told):
    judgement = judged(*operations, events=events)
    assert judgement.valid == "unknown"
    assert told in " ".join(judgement.unknowns)


def test_without_a_replica_to_ask_nothing_is_known():
    assert judged(write(20, "a"), read(110, "a"), replicas=()).valid == "unknown"


def test_a_read_that_misses_the_write_before_it_is_stale_and_names_who_answered():
    stale = write(20, "a", "fail", error=STALE_READ, value={"acknowledged": True})
    judgement = no_stale_read(history([stale, write(30, "b")], FAULT))
    assert [(each.object, each.uids) for each in judgement.offenders] == [("web-1", ("uid-1",))]
    assert judgement.measured == {"stale_reads": 1}


def test_reads_that_see_each_write_are_well_and_without_a_write_there_is_nothing_to_see():
    assert no_stale_read(history([write(20, "a")], FAULT)).valid is True
    assert no_stale_read(history([write(20, "a", "info")], FAULT)).valid == "unknown"
