"""Schedules: whether those that people have made are there, fire, and fire once."""

from contextlib import suppress
from datetime import datetime, timedelta

from harbor_verify import jobs
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.sql import Sql
from harbor_verify.database import harbors_database
from harbor_verify.errors import DeadlinePassed, WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.model.jobs import Fired, JobRecords, Schedule, due, fired, next_due, sharing
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, last_look, wait_until

_SETTLES_S = 5
"""What somebody changes just now is in one before it is in the other."""
_LATE_S = 60
_SOON_S = 75
"""What fires each minute is waited for, where it could not have fired yet."""
_MOMENTS = 10
_RESTART = (
    "`kubectl rollout restart` of the {job}: when one starts, and then only, it brings into Redis what the database "
    "has, and takes out what it has not"
)


@check(
    "jobs.schedules-in-redis",
    hint="What fires is in Redis alone (period:policies); the page and the API show what the database has. Redis was "
    "emptied, restored from an older copy, or lost it in a failover; or somebody switched a schedule off that shared "
    f"its score with others (jobs.schedules-have-scores-of-their-own). {_RESTART}; look in its log for `restore … "
    "missing schedules`. One without a job: save it anew. So that it does not happen again: "
    "durability.session-store-writes-to-disk, capacity.session-store-evicts-nothing.",
    source="Harbor: tables schedule and task, key period:policies; jobservice/sync; report 18836 of "
    "goharbor/harbor",
    needs=("database", "session-store"),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("database.reachable",),
)
def test_redis_has_every_schedule_that_the_database_has(harbor: Target, findings: Findings, measured, listed):
    """Every schedule that the database has, those who run jobs have in Redis, with the same times, and no others.

    Source: rows of `schedule` with their tasks, and the policies in Redis. Where they differ it is looked again, for
    some seconds.
    """
    store = jobs.job_store(harbor)
    seen = last_look(
        "they are alike",
        lambda: _compared(harbor, store, measured, listed),
        lambda compared: not compared.offenders,
        deadline="fixed",
        timeout_s=_SETTLES_S,
        interval_s=1,
    )
    findings.take(seen)


def _compared(harbor: Target, store, measured, listed) -> Findings:
    found = Findings()
    with harbors_database(harbor) as sql:
        schedules = jobs.records(harbor).schedules(sql)
    in_redis = {policy.job_id: policy for policy in jobs.policies(harbor, store)}
    measured.update(schedules_count=len(schedules), schedules_in_redis_count=len(in_redis))
    place = f"Redis {store.store}"
    listed["schedules"] = [
        {
            "what": str(each),
            "cron": each.cron,
            "redis_cron": in_redis[each.job_id].cron if each.job_id in in_redis else "",
        }
        for each in schedules
    ]
    for schedule in schedules:
        with found.about(str(schedule), f"{place} has it, to fire at {schedule.cron}") as each:
            policy = in_redis.get(schedule.job_id)
            if not schedule.job_id:
                each.wrong("it has no job in the database: nothing will ever bring it there")
            elif policy is None:
                each.wrong("it is not there: it does not fire")
            elif policy.cron != schedule.cron:
                each.wrong(f"it fires at {policy.cron}")
    with found.about(place, "it has no schedule that the database has not") as redis:
        known = {schedule.job_id for schedule in schedules}
        for policy in in_redis.values():
            if policy.job_id not in known:
                redis.wrong(f"job {policy.job_id} fires at {policy.cron}, for a schedule that is gone")
    return found


@check(
    "jobs.schedules-have-scores-of-their-own",
    hint="A schedule is taken out of Redis by its score (the second it was put there, and up to 9), with all that have "
    "the same: whoever changes or switches off one of these takes the others out, and nothing says so. They came there "
    f"together, as after a Redis that was emptied. Before you change one of them know how to mend it: {_RESTART}. To "
    "part them: save one of them anew, then restart.",
    source="Harbor: jobservice/period, ZREMRANGEBYSCORE of period:policies",
    needs=("session-store",),
    requires=(Role.JOB, Feature.SCHEDULES),
    severity=SHOULD,
)
def test_no_schedule_is_taken_out_with_another(harbor: Target, findings: Findings, not_applicable):
    """No two schedules have one score in Redis, so that switching one off leaves the others.

    Source: the policies in Redis.
    """
    store = jobs.job_store(harbor)
    policies = jobs.policies(harbor, store)
    if not policies:
        not_applicable("there is no schedule in Redis")
    with findings.about(f"Redis {store.store}", "every schedule has a score of its own") as redis:
        for score, several in sharing(policies).items():
            told = ", ".join(f"job {policy.job_id} ({policy.cron})" for policy in several)
            redis.wrong(f"{len(several)} schedules have score {score}: {told}")


@check(
    "jobs.schedules-fire",
    hint="Nothing began: is the schedule in Redis (jobs.schedules-in-redis), are schedules paused "
    "(jobs.queues-not-paused), does anybody work their queue off (jobs.queues-worked-off)? Else the log of the {job} "
    "at that moment, `SCHEDULER`, and then of the {web}: it is told, and starts the job. What was due while a part "
    "of Harbor, Redis or the database was away, as while this suite breaks them, is not made up for: start it by hand. "
    "Several began: two Harbors share one Redis or one database, or a job of "
    "a schedule that is gone fires, too.",
    source="Harbor: schedule.cron (six fields, UTC), executions with trigger SCHEDULE (P2P preheat: SCHEDULED); "
    "report 14683 of goharbor/harbor",
    needs=("database",),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=(
        "configuration.health-body-is-healthy",
        "database.reachable",
        "jobs.queues-not-paused",
        "jobs.queues-worked-off",
        "jobs.schedules-in-redis",
    ),
)
def test_schedules_fired_when_they_were_due_and_once(
    harbor: Target, findings: Findings, not_applicable, measured, tell, listed
):
    """Each schedule started what it is for at the last time that it was due, and only once each time.

    Source: executions in the database, against the schedule's cron expression, since it was made, those who run jobs
    started last, and one of them has been Ready, and one whom they tell; of each the last ten times. What is due within
    a minute or so, and could not fire before, is waited for.
    """
    records, started = jobs.records(harbor), jobs.running_since(harbor)
    later: list[str] = []
    looked_at = 0
    with harbors_database(harbor) as sql:
        for schedule in records.schedules(sql):
            if not schedule.enabled:
                later.append(f"{schedule}: never, its policy is disabled")
                continue
            expected = f"at {schedule.cron} it starts what it is for, once"
            since = max(schedule.made, started)
            row = {"what": str(schedule), "cron": schedule.cron}
            listed["schedules"].append(row)
            try:
                moments = _moments(records, sql, schedule, since, tell)
                upcoming = next_due(schedule.cron, since)
            except WrongConfiguration as wrong:
                findings.wrong(str(schedule), expected, f"it never fires: {wrong}")
                continue
            row["next"] = _said(next_due(schedule.cron, records.now(sql)))
            if not moments:
                later.append(f"{schedule}: {upcoming:%F %T}" if upcoming else f"{schedule}: never")
                continue
            looked_at += len(moments)
            with findings.about(str(schedule), expected) as each:
                began = records.firings(sql, schedule, moments[0] - timedelta(seconds=1))
                became = fired(moments, began, next_due(schedule.cron, moments[-1]))
                is_swept = became.missed is not None and records.is_swept(sql, schedule, became.missed)
                if not is_swept:
                    row |= {"due": _said(moments[-1]), "fired": _said(max(began, default=None))}
                _judge(each, became, is_swept)
    measured["moments_looked_at_count"] = looked_at
    if not findings.examined and not findings.offenders:
        not_applicable(
            f"nothing was due since {harbor.workload(Role.JOB).object} and {harbor.workload(Role.WEB).object} run; "
            "next, in UTC: "
            f"{'; '.join(later) or 'there is no schedule'}"
        )


def _said(moment: datetime | None) -> str:
    """As reports have it; empty: never."""
    return moment.isoformat(timespec="seconds") if moment else ""


def _judge(each, found: Fired, is_swept: bool) -> None:
    if found.missed is not None and is_swept:
        each.unknown(f"what it started at {found.missed:%F %T} may have been removed since")
    elif found.missed is not None:
        each.wrong(f"nothing began at {found.missed:%F %T} UTC")
    for moment, count in found.several.items():
        each.wrong(f"{count} began at {moment:%F %T} UTC")


def _moments(records: JobRecords, sql: Sql, schedule: Schedule, since: datetime, tell) -> list[datetime]:
    """When it was due, and has fired or has had the time to; the next one, too, where none was and it is near."""
    now = records.now(sql)
    past = due(schedule.cron, since, now, most=_MOMENTS)
    sure = [at for at in past if now - at >= timedelta(seconds=_LATE_S)]
    if sure:
        return sure
    upcoming = past[0] if past else next_due(schedule.cron, since)
    if upcoming is None or upcoming - now > timedelta(seconds=_SOON_S):
        return []
    tell(f"waiting for {schedule}, which is due at {upcoming:%T} UTC")

    def has_fired() -> None:
        if not records.firings(sql, schedule, upcoming - timedelta(seconds=1)):
            raise NotYet("nothing has begun")

    timeout_s = max(1.0, (upcoming - now).total_seconds() + _LATE_S)
    with suppress(DeadlinePassed):
        wait_until("it fires", has_fired, deadline="fixed", timeout_s=timeout_s, interval_s=1)
    return [upcoming]
