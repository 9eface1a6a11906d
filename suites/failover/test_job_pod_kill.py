"""A job pod dies."""

from contextlib import suppress
from datetime import timedelta

from harbor_verify import jobs
from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.errors import DeadlinePassed
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.findings import Findings
from harbor_verify.model.jobs import due, fired, next_due
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_SOON = timedelta(seconds=75)
_LATE = timedelta(seconds=60)
_MOST = 60


@check(
    "failover.job-pod-kill",
    hint="Nothing that users do waits for the {job}: if requests were lost, see what else was going on. "
    "Slow recovery: kubectl describe pod; a volume that can be mounted on one node only keeps its "
    "successor waiting.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    requires=(Role.JOB,),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_job_pod_dies(experiments: Experiments, measured):
    """When a job pod is deleted, logins, sessions, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.JOB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.job-outlives-job-kill",
    hint="A job whose {job} was killed lies in the list of what is in progress, in Redis, until another {job} looks "
    "for jobs of the dead: ten seconds after it starts, and every ten minutes. Where it did not end, or late: no {job} "
    "was started again (`kubectl get pods`), or its container takes long to start (an entry point that changes owners, "
    "or waits for something); Redis does not keep what it is given; or the lock that the dead one held keeps the job "
    "waiting.",
    source="Harbor: jobservice; gocraft/work, dead pool reaper; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    requires=(Role.JOB, Feature.JOB_LOGS),
    builds_on=(*CLIENTS_AT_WORK, "failover.job-pod-kill"),
)
def test_a_job_is_taken_up_again_when_whoever_ran_it_is_killed(experiments: Experiments, measured):
    """When whoever runs jobs is killed in the middle of one, it is taken up again in time, and ends in success.

    Source: budgets are settings; `response_ms` is the time from the kill to the end of the job.
    """
    survival = experiments.job_kill()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.schedules-outlive-job-pod-kill",
    hint="Nothing began: the moments of the next minutes lie in Redis, and whichever {job} is left takes them; is "
    "there another that is Ready, and does its log say `SCHEDULER` then? What the dead one had just taken is put back "
    "by another ten seconds after its start, or else within ten minutes. Several began: report 14683 of "
    "goharbor/harbor.",
    source="Harbor: jobservice, period:policies and scheduled in Redis; gocraft/work, dead pool reaper",
    needs=("disruption", "database"),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("jobs.schedules-fire", "failover.job-pod-kill"),
)
def test_schedules_outlive_the_death_of_a_job_pod(
    harbor: Target, findings: Findings, experiments: Experiments, not_applicable, measured, tell
):
    """When a job pod dies without grace, every schedule that is due meanwhile, or next, fires, and once.

    Source: executions in the database. Only what fires each minute can be seen in the time of a check.
    """
    records = jobs.records(harbor)
    with harbors_database(harbor) as sql:
        before = records.now(sql)
        soon = [
            schedule
            for schedule in records.schedules(sql)
            if schedule.enabled and (at := next_due(schedule.cron, before)) and at - before <= _SOON
        ]
    if not soon:
        not_applicable("no schedule is due within a minute or so: whether one outlives this is not seen")
    measured.update(experiments.abrupt_pod_kill(Role.JOB).measured)
    with harbors_database(harbor) as sql:
        after = records.now(sql)
        for schedule in soon:
            with findings.about(str(schedule), f"at {schedule.cron} it starts what it is for, once") as each:
                last = next_due(schedule.cron, after)
                assert last
                tell(f"waiting for {schedule}, which is due at {last:%T} UTC")

                def has_fired(schedule=schedule, last=last) -> None:
                    if not records.firings(sql, schedule, last - timedelta(seconds=1)):
                        raise NotYet("nothing has begun")

                timeout_s = (last - records.now(sql) + _LATE).total_seconds()
                with suppress(DeadlinePassed):
                    wait_until("it fires", has_fired, deadline="fixed", timeout_s=timeout_s, interval_s=1)
                moments = due(schedule.cron, before, last, most=_MOST)
                began = records.firings(sql, schedule, moments[0] - timedelta(seconds=1))
                became = fired(moments, began, next_due(schedule.cron, last))
                if became.missed:
                    each.wrong(f"nothing began at {became.missed:%F %T} UTC")
                for moment, count in became.several.items():
                    each.wrong(f"{count} began at {moment:%F %T} UTC")
