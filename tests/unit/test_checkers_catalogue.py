"""What was pushed is in the catalogue: judged on histories written by hand."""

import pytest

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED, no_push_missing_in_catalogue
from harbor_verify.history import CONFIRMING
from tests.unit.handwritten import disrupted, event, history, op


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
