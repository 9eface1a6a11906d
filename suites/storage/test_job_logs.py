"""Logs of jobs: whichever replica ran a job, every other gives its log."""

from collections.abc import Callable

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed, NeedMissing
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_ENDED = ("Success", "Error", "Stopped")
_KEPT_S = 24 * 3600
"""Logs are kept for longer, unless somebody has set it very short (the chart: jobservice.jobLoggers, sweeper)."""


@check(
    "storage.job-logs-shared",
    hint="Let all {job} replicas write their logs to the same ReadWriteMany claim, or into the database (the chart: "
    "jobservice.jobLoggers). With a volume each, or none, every other look at a log is a 404, and with the pod the "
    "logs are gone. A job that does not end: the log of the {job} pods. A log that was lost stays lost: after a change "
    "look at a new job's.",
    source="Harbor: job loggers; report 13011 of goharbor/harbor",
    requires=(Feature.JOB_LOGS,),
    builds_on=(
        "configuration.health-body-is-healthy",
        "capacity.no-volume-full",
        "storage.claims-bound",
    ),
)
def test_the_log_of_a_job_is_given_whichever_replica_ran_it(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, need, tell
):
    """The log of a job is given, complete and the same, each time it is asked for, whichever replica ran the job.

    Source: Harbor's job logs. With permission to disrupt a job is started, a garbage collection that collects nothing
    (dry run); without, the newest that ended within the last day is read. Asked for again and again, until each job
    replica has been met.
    """
    if len(harbor.replicas(Role.JOB)) < 2:
        not_applicable(
            f"{harbor.workload(Role.JOB).object} has one replica: there is no other to give its logs"
        )
    place = harbor.workload(Role.JOB).object
    try:
        need("disruption")
    except NeedMissing as no_permission:
        job_id = _newest_ended(harbor, findings, place, no_permission)
    else:
        job_id = _run_one(harbor, findings, place, settings, tell)
    if job_id is None:
        return
    webs = harbor.replicas(Role.WEB)
    asks = -(-rounds_to_meet_each(len(harbor.replicas(Role.JOB))) // len(webs)) * len(webs)
    logs, errors = set(), []
    for number in range(asks):
        try:
            web = webs[number % len(webs)]
            logs.add(harbor.web(web).job_log(job_id, harbor.administrator(web)))
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


def _newest_ended(harbor: Target, findings: Findings, place: str, no_permission: NeedMissing) -> int | None:
    """The id of a job whose log should still be there; None where Harbor does not tell.

    Raises NeedMissing where none has ended lately.
    """
    job_id = None
    with findings.about(place, "the jobs that have ended are told"):
        job_id = harbor.front_door.newest_ended_job(harbor.credentials, within_s=_KEPT_S)
        if job_id is None:
            raise NeedMissing(
                f"no garbage collection has ended within the last day, and none is started here: {no_permission}"
            )
    return job_id


def _run_one(
    harbor: Target, findings: Findings, place: str, settings: Settings, tell: Callable[[str], None]
) -> int | None:
    """The id of a job that was started and has ended; None where that is what is wrong."""
    front, admin = harbor.front_door, harbor.credentials
    job_id = None
    with findings.about(place, "a job can be started"):
        job_id = front.start_harmless_job(admin)
    if job_id is None:
        return None
    tell(f"waiting for job {job_id} to end: a garbage collection that collects nothing")
    status = None

    def ended() -> None:
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
    return job_id if status in _ENDED else None
