"""What Harbor itself says of its health."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_OLDEST_S = 20
"""A report is made anew every 10 s: what was mended before this check began may be told for so long."""
_STAYS_S = 3
"""Once all is called healthy, every look for so long must say so: what fails now and then is not healthy."""
_INTERVAL_S = 0.5
_ALWAYS_THERE = ("core", "database", "jobservice", "redis", "registry")
"""What no Harbor with a health report can do without: a report that is silent about one of them shows nothing."""


@check(
    "configuration.health-body-is-healthy",
    hint="The report is answered 200 whatever it says: whoever watches must read `status` in its body. For the "
    "component that is named look at its pods and its log; one that is unhealthy now and then restarts, or is not "
    "reached each time. One that the report does not name is watched by nobody: compare the image with the other "
    "replicas'. Where only some {web} replicas call a component unhealthy, the way from their nodes to it is broken. "
    "That all is called healthy proves nothing: a database or Redis that hangs is not noticed.",
    source="Harbor: GET …/health; report 16406 of goharbor/harbor",
    requires=(Feature.HEALTH_REPORT,),
)
def test_every_web_replica_calls_every_component_healthy(harbor: Target, findings: Findings):
    """On every web replica, the body of the health report calls Harbor and each of its components healthy.

    Source: Harbor's health report, which is answered 200 also when it is not. Once all is called healthy it is looked
    at for 3 s more, and must stay so.
    """
    replicas = harbor.replicas(Role.WEB)
    complaints = {}

    def look():
        complaints.clear()
        complaints.update(_complaints(harbor, replicas))
        return "; ".join(f"{replica}: {', '.join(lines)}" for replica, lines in complaints.items())

    def healthy():
        if words := look():
            raise NotYet(words)

    def unhealthy_again():
        if not look():
            raise NotYet("all is called healthy")

    expected = "calls Harbor and each of its components healthy"
    try:
        wait_until(
            "every component is called healthy",
            healthy,
            deadline="Harbor's own reports",
            timeout_s=_OLDEST_S,
            interval_s=_INTERVAL_S,
        )
        expected += f", and goes on to for {_STAYS_S:g} s"
        # That this deadline passes is what is wished for.
        wait_until(
            "a component is called unhealthy again",
            unhealthy_again,
            deadline="how long all must stay healthy",
            timeout_s=_STAYS_S,
            interval_s=_INTERVAL_S,
        )
    except DeadlinePassed:
        pass
    for replica in replicas:
        with findings.about(replica.object, expected) as report:
            for line in complaints.get(replica.object, ()):
                report.wrong(line)


def _complaints(harbor, replicas):
    """What each replica's report finds wrong, by replica; those that find nothing wrong are left out."""
    complaints = {}
    for replica in replicas:
        try:
            report = harbor.web(replica).health()
        except AnswerError as error:
            complaints[replica.object] = [str(error)]
            continue
        lines = [f"{name} is {status}" for name, status in report.components.items() if status != "healthy"]
        if missing := [name for name in _ALWAYS_THERE if name not in report.components]:
            lines.append(
                f"it does not name {', '.join(missing)}" if report.components else "it names no component"
            )
        if lines or report.status != "healthy":
            complaints[replica.object] = lines or [f"status is {report.status}"]
    return complaints
