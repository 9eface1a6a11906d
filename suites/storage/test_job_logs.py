"""Logs of jobs: whichever replica ran a job, every other gives its log."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_ENDED = ("Success", "Error", "Stopped")


@check(
    "storage.job-logs-shared",
    hint="Let all {job} replicas write their logs to the same ReadWriteMany claim, or into the database (the chart: "
    "jobservice.jobLoggers). With a volume each, or none, every other look at a log is a 404, and with the pod the "
    "logs are gone. A job that does not end: the log of the {job} pods.",
    source="Harbor: job loggers; report 13011 of goharbor/harbor",
    requires=(Feature.JOB_LOGS,),
    builds_on=(
        "configuration.health-body-is-healthy",
        "storage.claims-bound",
    ),
)
def test_the_log_of_a_job_is_given_whichever_replica_ran_it(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, tell
):
    """The log of a job is given, complete and the same, each time it is asked for, whichever replica ran the job.

    Source: Harbor's job logs; the job is a garbage collection that collects nothing (dry run). Asked for again and
    again, until each job replica has been met.
    """
    if len(harbor.replicas(Role.JOB)) < 2:
        not_applicable(
            f"{harbor.workload(Role.JOB).object} has one replica: there is no other to give its logs"
        )
    front, admin, place = harbor.front_door, harbor.credentials, harbor.workload(Role.JOB).object
    job_id = None
    with findings.about(place, "a job can be started"):
        job_id = front.start_harmless_job(admin)
    if job_id is None:
        return
    tell(f"waiting for job {job_id} to end: a garbage collection that collects nothing")

    status = None

    def ended():
        nonlocal status
        status = front.job_status(job_id, admin)
        if status not in _ENDED:
            raise NotYet(f"its status is {status}")

    expected = f"job {job_id}, a garbage collection that collects nothing, ends, and its status is told"
    with findings.about(place, expected) as job:
        try:
            wait_until(
                f"job {job_id} ends",
                ended,
                deadline="converge_timeout_s",
                timeout_s=settings.converge_timeout_s,
                interval_s=0.5,
            )
        except DeadlinePassed as late:
            job.wrong(str(late))
    if status not in _ENDED:
        return
    webs = harbor.replicas(Role.WEB)
    asks = -(-rounds_to_meet_each(len(harbor.replicas(Role.JOB))) // len(webs)) * len(webs)
    logs, errors = set(), []
    for number in range(asks):
        try:
            logs.add(harbor.web(webs[number % len(webs)]).job_log(job_id, admin))
        except AnswerError as error:
            errors.append(str(error))
    expected = f"gives the log of job {job_id} each of {asks} times"
    with findings.about(place, expected) as log:
        if errors:
            log.wrong(f"{len(errors)} times not; first: {errors[0]}")
        if "" in logs:
            log.wrong("an empty log")
        if len(logs) > 1:
            log.wrong(f"{len(logs)} different logs", expected=f"{expected}, and the same")
