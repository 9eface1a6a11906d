"""Replication rules: whether the last run of each succeeded, and whether those with a schedule run."""

from datetime import UTC, datetime, timedelta

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.capabilities import ReplicationRule, ReplicationRun
from harbor_verify.findings import Findings
from harbor_verify.model.jobs import due
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target

_RUNNING, _GOOD, _BAD = "InProgress", "Succeed", ("Failed", "Stopped")
_LONGEST = timedelta(hours=24)
_LATE = timedelta(minutes=10)


@check(
    "replication.rules-run",
    hint="Administration, Replications, the rule, the execution: each of its tasks has a log that says which image "
    "failed, and why. One that is in progress without end: the {web} that began it died before it had made the tasks; "
    "stop it. While it lasts, a rule that is to run once at a time (single active replication) skips every later run. "
    "Due, and nothing began: jobs.schedules-in-redis, jobs.schedules-fire. What is to be caught up: start it by hand.",
    source="Harbor: GET replication/policies, replication/executions",
    requires=(Feature.REPLICATION,),
    severity=SHOULD,
    builds_on=(
        "replication.endpoints-reachable",
        "jobs.schedules-in-redis",
        "jobs.schedules-fire",
        "jobs.queues-not-paused",
        "jobs.queues-worked-off",
        "jobs.jobs-end",
    ),
)
def test_the_last_run_of_each_replication_rule_succeeded(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """The last run of every enabled replication rule succeeded, none lasts for a day, and one began when it was due.

    Source: Harbor's own list of executions. A rule that has never run is judged by its schedule alone.
    """
    rules: list[ReplicationRule] = []
    front, credentials = harbor.front_door, harbor.credentials
    with findings.about(f"front door {harbor.url}", "lists replication rules"):
        rules = [rule for rule in front.rules(credentials) if rule.enabled]
    if not rules and not findings.offenders:
        not_applicable("no replication rule is enabled")
    now, lags = clock.now(), []
    for rule in rules:
        thing = f"replication rule {rule.name} ({rule.source} to {rule.target})"
        with findings.about(thing, "its last run succeeded, and one began when it was due last") as each:
            runs = front.runs_of(rule, credentials)
            ended = [run for run in runs if run.status != _RUNNING]
            if ended and ended[0].status in _BAD:
                each.wrong(f"{_said(ended[0])}; {_last_good(ended)}")
            if late := [run for run in runs if run.status == _RUNNING and now - run.started > _LONGEST]:
                each.wrong(
                    f"run {late[0].id} is in progress for {(now - late[0].started) / timedelta(hours=1):.0f} hours"
                )
            if missed := _missed(rule, runs, now):
                each.wrong(f"it was due at {missed:%F %T} UTC, and nothing has begun since")
            lags += [now - run.ended for run in ended if run.status == _GOOD and run.ended][:1]
    measured["replication_rules_count"] = len(rules)
    if lags:
        measured["longest_since_replication_s"] = round(max(lags).total_seconds())


def _missed(rule: ReplicationRule, runs: list[ReplicationRun], now: datetime) -> datetime | None:
    """When it was due last, as long as nothing has begun since; it may take minutes to begin."""
    if not rule.cron:
        return None
    moments = due(rule.cron, rule.changed.astimezone(UTC), now - _LATE, most=1)
    if not moments:
        return None
    begun = max((run.started for run in runs), default=datetime.min.replace(tzinfo=UTC))
    return moments[0] if begun < moments[0] - timedelta(seconds=5) else None


def _said(run: ReplicationRun) -> str:
    at = f" at {run.ended:%F %T} UTC" if run.ended else ""
    of = f", {run.failed} of {run.total} failed" if run.failed else ""
    return f"run {run.id} ended{at}: {run.status}{of}" + (f" ({run.told[:200]})" if run.told else "")


def _last_good(ended: list[ReplicationRun]) -> str:
    good = next((run for run in ended if run.status == _GOOD), None)
    if good is None:
        return f"none of the {len(ended)} that are known succeeded"
    return f"the last that succeeded: {good.id}" + (f", {good.ended:%F %T} UTC" if good.ended else "")
