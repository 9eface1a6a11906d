"""What Harbor itself says of its health."""

from contextlib import suppress

from fixtures.checks import check
from fixtures.errors import AnswerError, DeadlinePassed
from fixtures.model.roles import Feature, Role
from fixtures.verdict import Offender, judge
from fixtures.waiting import NotYet, wait_until

_OLDEST_S = 20
"""A report is made anew every 10 s: what was mended before this check began may be told for so long."""


@check(
    "configuration.health-body-is-healthy",
    hint="The report is answered 200 whatever it says: whoever watches must read `status` in its body. For the "
    "component that is named look at its pods and its log; where only some {web} replicas call it unhealthy, the way "
    "from their nodes to it is broken. That all is called healthy proves nothing: a database or Redis that hangs is "
    "not noticed.",
    source="Harbor: GET …/health; report 16406 of goharbor/harbor",
    requires=(Feature.HEALTH_REPORT,),
)
def test_every_web_replica_calls_every_component_healthy(harbor):
    """On every web replica, the body of the health report calls Harbor and each of its components healthy.

    Source: Harbor's health report, which is answered 200 also when it is not.
    """
    replicas = harbor.replicas(Role.WEB)
    wrong = {}

    def look():
        wrong.clear()
        for replica in replicas:
            try:
                report = harbor.web(replica).health()
            except AnswerError as trouble:
                wrong[replica.object] = [str(trouble)]
                continue
            unwell = [f"{name} is {told}" for name, told in report.components.items() if told != "healthy"]
            if not report.components:
                unwell = ["it names no component"]
            if unwell or report.status != "healthy":
                wrong[replica.object] = unwell or [f"status is {report.status}"]
        if wrong:
            raise NotYet("; ".join(f"{place}: {', '.join(told)}" for place, told in wrong.items()))

    with suppress(DeadlinePassed):
        wait_until(
            "every component is called healthy",
            look,
            deadline="Harbor's own reports",
            timeout_s=_OLDEST_S,
            interval_s=0.5,
        )
    expected = "calls Harbor and each of its components healthy"
    judge(
        [Offender(place, expected, told) for place, each in wrong.items() for told in each],
        examined=len(replicas),
    )
