"""Robot accounts that end."""

from datetime import timedelta

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "expiry.robots-valid-for-days",
    hint="On the day it ends whatever has its secret gets 401: pipelines, and pull secrets of whole namespaces. "
    "Robot Accounts (of the system, or of the project), EDIT, a later expiration: the secret stays as it is. One that "
    "nobody needs any more: disable or delete it. A new one lives for 30 days unless told otherwise (System Settings). "
    "How few days are too few is a setting: --robot-days.",
    source="Harbor: robot accounts, expiration; report 16929 of goharbor/harbor",
    needs=("database",),
    requires=(Feature.ROBOTS,),
    severity=SHOULD,
    builds_on=("database.reachable",),
)
def test_robot_accounts_that_were_made_to_last_do_not_end_unnoticed(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, measured, listed
):
    """No robot account that was made to last ends within days, or has lately ended, without being disabled.

    Source: Harbor's own table of robots. One made for less than twice the days of the setting is meant to end soon, and
    one that ended longer ago is missed by nobody.
    """
    assert harbor.profile.robots
    with harbors_database(harbor) as sql:
        robots = [robot for robot in harbor.profile.robots(sql) if robot.ends and not robot.disabled]
    now, span = clock.now(), timedelta(days=settings.robot_days)
    lasting = [robot for robot in robots if robot.ends - robot.made >= 2 * span and robot.ends > now - span]
    if not lasting:
        not_applicable("no robot account ends that was made to last and is not disabled")
    measured["robots_that_end_count"] = len(lasting)
    for robot in lasting:
        ends = {"what": robot.name, "kind": "robot account", "at": robot.ends.isoformat()}
        listed["ends"].append({**ends, "least_days": settings.robot_days})
        whose = f"of project {robot.project}" if robot.project else "of the whole Harbor"
        expected = f"it is valid for {settings.robot_days} days at least, or disabled"
        with findings.about(f"robot account {robot.name} {whose}", expected) as account:
            days = abs(robot.ends - now).days
            if robot.ends < now:
                account.wrong(f"ended on {robot.ends:%F}, {days} days ago")
            elif robot.ends - now < span:
                account.wrong(f"ends on {robot.ends:%F}, in {days} days")
