"""The checkers of writes through the API and of the catalogue, on histories written by hand."""

import pytest

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED, no_push_missing_in_catalogue
from harbor_verify.checkers.writes import READ, STALE_READ, WRITE, no_stale_read
from harbor_verify.history import CONFIRMING
from tests.unit.handwritten import disrupted, event, history, op


def write(start_ms, public, outcome="ok", **more):
    value = {"project": "p", "public": public, "reader": "web-1", **more.pop("value", {})}
    if outcome == "ok":
        value["acknowledged"] = True
    return op(start_ms, start_ms + 5, outcome, client=f"{WRITE}@front-door", value=value, **more)


def read(start_ms, public, replica="web-0", outcome="ok"):
    return op(
        start_ms,
        start_ms + 5,
        outcome,
        client=f"{READ}@{replica}",
        value={"project": "p"} | ({"public": public} if outcome == "ok" else {}),
    )


def judged(*operations, events=None):
    return no_stale_read(
        history(list(operations), disrupted(10, 100) if events is None else events), replicas=["web-0"]
    )


def test_writes_that_are_seen_at_once_and_in_the_end_are_well():
    judgement = judged(write(1, True), write(20, False), read(110, False))
    assert judgement.valid is True
    assert judgement.measured == {"writes": 2, "stale_reads": 0}


def test_a_read_of_the_value_before_is_stale():
    stale = write(20, True, "fail", error=STALE_READ, value={"acknowledged": True})
    judgement = judged(stale, read(110, True))
    assert judgement.valid is False
    assert judgement.offenders[0].object == "web-1"


def test_a_write_that_was_acknowledged_and_is_gone_in_the_end_is_lost():
    judgement = judged(write(20, True), read(110, False))
    assert judgement.valid is False
    assert judgement.offenders[0].observed == "public: False"


def test_a_later_write_of_which_nobody_knows_may_or_may_not_be_there():
    unknown = write(30, False, "info", error="NoAnswer")
    for seen in (True, False):
        assert judged(write(20, True), unknown, read(110, seen)).valid is True


def test_a_later_write_that_was_refused_is_not_there():
    refused = write(30, False, "fail", status=403, error="UnexpectedAnswer")
    assert judged(write(20, True), refused, read(110, False)).valid is False


@pytest.mark.parametrize(
    "operations, events, told",
    [
        ([read(110, True)], None, "no write was acknowledged"),
        ([write(20, True)], None, "web-0 did not say"),
        ([write(20, True), read(50, True)], None, "web-0 did not say"),
        ([write(20, True), read(110, None, outcome="fail")], None, "web-0 did not say"),
        ([write(20, True), read(110, True)], [], "nothing was disrupted"),
        ([write(20, True), read(110, True)], disrupted(10, None), "was not healed"),
    ],
)
def test_what_the_history_does_not_tell_is_unknown(operations, events, told):
    judgement = judged(*operations, events=events)
    assert judgement.valid == "unknown"
    assert told in judgement.unknowns[0]


def push(start_ms, digest, repository="p/r"):
    return op(
        start_ms, start_ms + 5, client="push@front-door", value={"repository": repository, "digest": digest}
    )


def listing(start_ms, missing=(), replica="web-0", repository="p/r", **more):
    outcome = more.pop("outcome", "fail" if missing else "ok")
    error = more.pop("error", NOT_LISTED if missing else None)
    value = {"repository": repository, "missing": list(missing)}
    return op(
        start_ms, start_ms + 5, outcome, client=f"{LISTING}@{replica}", value=value, error=error, **more
    )


CONFIRMED = [*disrupted(10, 100), event(100, "after the heal", CONFIRMING, span_s=0.01)]
"""What is refused is asked for again for 10 ms."""


def looked_up(*operations, events=None, replicas=("web-0",)):
    return no_push_missing_in_catalogue(
        history(list(operations), CONFIRMED if events is None else events), replicas=replicas
    )


def missed(*digests, times=(110, 120, 130)):
    return [listing(at, digests) for at in times]


def test_images_that_are_listed_in_the_end_are_well():
    judgement = looked_up(push(20, "sha256:a"), listing(110, ["sha256:a"]), listing(120))
    assert judgement.valid is True


def test_an_image_that_is_never_listed_is_named():
    judgement = looked_up(push(20, "sha256:a"), push(30, "sha256:b"), *missed("sha256:b"))
    assert judgement.valid is False
    assert judgement.offenders[0].object == "web-0"
    assert "sha256:b" in judgement.offenders[0].observed
    assert judgement.measured == {"pushes_unlisted": 1}


def test_an_image_that_was_missed_too_shortly_may_still_be_listed():
    pushes = push(20, "sha256:a"), push(30, "sha256:b")
    assert looked_up(*pushes, listing(110, ["sha256:b"])).valid == "unknown"
    first_another = [listing(110, ["sha256:a"]), *missed("sha256:b", times=(120, 125, 128))]
    assert looked_up(*pushes, *first_another).valid == "unknown"


def test_without_a_replica_to_ask_nothing_is_known():
    assert looked_up(push(20, "sha256:a"), listing(110), replicas=()).valid == "unknown"


def test_only_what_was_acknowledged_must_be_listed():
    lost = op(40, 45, "info", client="push@front-door", value={"repository": "p/r", "digest": "sha256:c"})
    assert looked_up(push(20, "sha256:a"), lost, *missed("sha256:c")).valid is True


@pytest.mark.parametrize(
    "operations, events, told",
    [
        ([listing(110)], None, "no push was acknowledged"),
        ([push(20, "sha256:a")], None, "not asked for"),
        ([push(20, "sha256:a"), listing(50)], None, "not asked for"),
        (
            [push(20, "sha256:a"), listing(110, outcome="fail", error="NoAnswer")],
            None,
            "another reason (NoAnswer)",
        ),
        ([push(20, "sha256:a"), listing(110)], [], "nothing was disrupted"),
        ([push(20, "sha256:a"), listing(110)], disrupted(10, None), "was not healed"),
    ],
)
def test_a_catalogue_that_was_not_seen_is_unknown(operations, events, told):
    judgement = looked_up(*operations, events=events)
    assert judgement.valid == "unknown"
    assert told in judgement.unknowns[0]
