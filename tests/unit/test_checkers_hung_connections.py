"""What waits on a connection that is kept to a pod that hangs is Harbor's own, and nothing else is."""

import pytest

from harbor_verify.checkers.hung_connections import KeptToHung
from harbor_verify.checkers.outage import longest_outage
from tests.unit.handwritten import CLIENT, disrupted, event, history, op

KEPT = KeptToHung("registry", keepers_count=3)


def endpoint(at_ms, change, replica, service="registry"):
    return event(at_ms, "registry", f"endpoint-{change}", service=service, uid=replica, replica=replica)


def led_to(*replicas, services=("registry",)):
    """Pods to which the Services lead from the beginning."""
    return [
        event(0, "registry", "watch-started", desired=2, services=list(services)),
        *(event(1, "registry", "pod-created", uid=each, pod=each, replica=each) for each in replicas),
        *(endpoint(1, "added", each, service) for service in services for each in replicas),
    ]


def without_endpoint(from_ms=7000, until_ms=21_000, *, replica="registry-1", services=("registry",)):
    return [
        *led_to(replica, "registry-2", services=services),
        *(endpoint(from_ms, "removed", replica, service) for service in services),
        *(endpoint(until_ms, "added", replica, service) for service in services),
    ]


def judge(*operations, events=None, kept=KEPT):
    """A registry hangs from 2000 to 20,000, and clients may be away for 15 s; the client's first question, at 3000,
    had no answer within its ten seconds.
    """
    told = without_endpoint() if events is None else events
    asked = [
        op(0, 100),
        op(1000, 1100),
        op(3000, 13_000, "fail"),
        *operations,
        op(22_000, 22_100),
        op(23_000, 23_100),
    ]
    return longest_outage(
        history(asked, [*disrupted(2000, 20_500), *told]), clients=[CLIENT], budget_ms=15_000, kept=[kept]
    )


HELD_UP = op(13_100, 20_000)
SOON_AGAIN = op(13_100, 23_200, "fail")


@pytest.mark.parametrize("second", [HELD_UP, SOON_AGAIN])
def test_an_outage_that_is_too_long_with_what_a_kept_connection_held_up_is_harbors_own(second):
    judgement = judge(second) if second.ok else judge(second, op(23_300, 23_400))
    assert judgement.valid is True
    assert judgement.measured["outage_ms"] > 15_000, "it is a figure all the same"
    assert "after no Service led to a pod of registry that hung any more" in judgement.flaws[0]


def test_one_that_is_within_the_budget_tells_of_no_flaw():
    assert judge(op(13_100, 16_000)).flaws == ()


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="a Service led there all the time"),
        pytest.param(without_endpoint(12_200), id="somebody may have been led there"),
        pytest.param(without_endpoint(until_ms=13_000), id="it was led there again"),
        pytest.param(without_endpoint(replica="front-door"), id="it was asked itself"),
        pytest.param(
            [event(6000, "registry", "pod-deleting", uid="registry-1"), *without_endpoint()],
            id="it was to go",
        ),
        pytest.param(
            [
                *without_endpoint(),
                endpoint(9000, "removed", "registry-2"),
                endpoint(9500, "added", "registry-2"),
            ],
            id="there was no other",
        ),
        pytest.param(
            [*led_to("registry-1"), endpoint(7000, "removed", "registry-1")], id="there never was another"
        ),
        pytest.param(
            [
                *led_to("registry-1", "registry-2", services=["registry", "registry-headless"]),
                endpoint(7000, "removed", "registry-1"),
            ],
            id="another Service leads there",
        ),
        pytest.param(
            [event(7000, "web", "endpoint-removed", uid="a", replica="web-1", service="web")],
            id="another's pod",
        ),
    ],
)
def test_what_was_held_up_otherwise_is_judged(events):
    judgement = judge(HELD_UP, events=events)
    assert judgement.valid is False
    assert judgement.flaws == ()


def test_an_outage_that_is_too_long_without_it_is_judged():
    assert (
        judge(op(13_100, 18_100, "fail"), op(18_200, 20_000), events=without_endpoint(17_000)).valid is False
    )


def test_more_than_there_can_be_such_connections_are_none():
    others = [op(10_000, 20_000, "fail", client=f"pull@web-{number}") for number in range(5)]
    assert judge(HELD_UP, *others).valid is True
    assert judge(HELD_UP, *others, op(10_000, 20_000, client="login@web-0")).valid is False
    assert judge(HELD_UP, kept=KeptToHung("registry", keepers_count=0)).valid is False


def test_a_pod_that_no_service_leads_to_until_the_end_holds_up_until_the_end():
    assert judge(HELD_UP, events=without_endpoint()[:-1]).valid is True


def test_a_pod_that_is_gone_holds_nobody_up():
    gone = event(12_900, "registry", "pod-deleted", uid="registry-1", pod="registry-1", replica="registry-1")
    assert judge(HELD_UP, events=[*without_endpoint()[:-1], gone]).valid is False


def test_a_pod_that_two_services_have_forgotten_holds_up():
    assert judge(HELD_UP, events=without_endpoint(services=["registry", "registry-headless"])).valid is True


def test_what_is_answered_soon_is_not_held_up_and_what_never_is_is():
    soon = [op(14_000, 15_900, client=f"pull@web-{number}") for number in range(8)]
    assert judge(HELD_UP, *soon).valid is True
    unanswered = [op(14_000, None, None, client=f"push@web-{number}") for number in range(6)]
    assert judge(HELD_UP, *unanswered[:5]).valid is True
    assert judge(HELD_UP, *unanswered).valid is False


@pytest.mark.parametrize("held_from_ms, is_harbors_own", [(18_000, True), (18_001, False)])
def test_what_was_held_up_has_to_explain_all_that_is_too_long(held_from_ms, is_harbors_own):
    """The outage from 3000 to 20,150 is 2150 ms too long."""
    refused = op(13_100, 17_900, "fail")
    judgement = judge(refused, op(held_from_ms, 20_150), events=without_endpoint(17_000))
    assert judgement.measured["outage_ms"] == 17_150
    assert judgement.valid is is_harbors_own
    assert bool(judgement.flaws) is is_harbors_own


def test_an_outage_whose_end_nobody_saw_is_judged():
    asked = [op(0, 100), op(1000, 1100), op(3000, 13_000, "fail"), op(13_100, None, None)]
    judgement = longest_outage(
        history(asked, [*disrupted(2000, 20_500), *without_endpoint()], end_ms=30_000),
        clients=[CLIENT],
        budget_ms=15_000,
        kept=[KEPT],
    )
    assert judgement.valid is False
    assert judgement.flaws == ()
