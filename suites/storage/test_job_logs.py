"""Logs of jobs: whichever replica ran a job, every other gives its log."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from harbor_verify import jobs
from harbor_verify.checks import check
from harbor_verify.clients.harbor import Session
from harbor_verify.errors import AnswerError, DeadlinePassed, NeedMissing
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.workloads import Replica
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_ENDED = ("Success", "Error", "Stopped")
_UNDER_WAY = ("Pending", "Scheduled", "Running")
_AT_ONCE, _MOST_ROUNDS = 12, 5
_ANEW = 2
"""Of so many at once about so many, mostly more, are passed on by a connection that is made for them: of 60 requests
in five rounds 5 to 21 were, of 30 one after the other one was. A web replica keeps two connections for what it is asked
next, and they lead where they led before."""
_LATEST_S = 10
_KEPT_S = 24 * 3600
"""Logs are kept for longer, unless somebody has set it very short (the chart: jobservice.jobLoggers, sweeper)."""


@check(
    "storage.job-logs-shared",
    hint="Let all {job} replicas write their logs to the same ReadWriteMany claim, or into the database (the chart: "
    "jobservice.jobLoggers). With a volume each, or none, every other look at a log is a 404, and with the pod the "
    "logs are gone. A job whose status is not told: the log of the {web}. A log that was lost stays lost: after a "
    "change look at a new job's.",
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
    (dry run); without, or where that takes long, the newest that ended within the last day is read. Asked for by twelve
    at once at each web replica, up to five times, so that it opens further connections to job replicas, until each of
    them has been met.
    """
    if len(harbor.replicas(Role.JOB)) < 2:
        not_applicable(
            f"{harbor.workload(Role.JOB).object} has one replica: there is no other to give its logs"
        )
    place = harbor.workload(Role.JOB).object
    if loggers := jobs.loggers_that_keep_nothing(harbor):
        not_applicable(
            f"jobs of {place} log to {', '.join(sorted(loggers))} alone (job_loggers): no replica can give a log"
        )
    try:
        need("disruption")
    except NeedMissing as no_permission:
        job_id = _newest_ended(harbor, findings, place, no_permission)
    else:
        job_id = _run_one(harbor, findings, place, settings, tell)
    if job_id is None:
        return
    webs = harbor.replicas(Role.WEB)
    replicas = len(harbor.replicas(Role.JOB))
    needed = rounds_to_meet_each(replicas, draws_per_round=len(webs) * _ANEW)
    rounds = min(needed, _MOST_ROUNDS)
    asks = len(webs) * rounds * _AT_ONCE
    if needed > rounds:
        tell(
            f"{replicas} job replicas are more than {asks} requests are sure to meet: some may not have been asked"
        )
    logs: set[str] = set()
    errors: list[str] = []
    for web in webs:
        try:
            administrator = harbor.administrator(web)
        except AnswerError as error:
            errors.append(str(error))
            continue
        for answer in _ask(harbor, web, job_id, administrator, rounds):
            if isinstance(answer, AnswerError):
                errors.append(str(answer))
            else:
                logs.add(answer)
    expected = f"gives the log of job {job_id} each of {asks} times"
    with findings.about(place, expected) as log:
        if errors:
            log.wrong(f"{len(errors)} times not; first: {errors[0]}")
        if "" in logs:
            log.wrong("an empty log")
        if len(logs) > 1:
            log.wrong(f"{len(logs)} different logs", expected=f"{expected}, and the same")


def _ask(
    harbor: Target, web: Replica, job_id: int, administrator: Session, rounds: int
) -> list[str | AnswerError]:
    """The log of a job, or what came in its place, each time that a web replica was asked for it."""
    together = threading.Barrier(_AT_ONCE)
    with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
        links = [harbor.new_link(web) for _ in range(_AT_ONCE)]
        for link in links:
            stack.callback(link.close)
        apis = [harbor.profile.api(link) for link in links]

        def ask(api) -> str | AnswerError:
            with suppress(threading.BrokenBarrierError):
                together.wait(_LATEST_S)
            try:
                return str(api.job_log(job_id, administrator))
            except AnswerError as error:
                return error

        return [answer for _ in range(rounds) for answer in pool.map(ask, apis)]


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
    """The id of a job that was started and has ended, or of the newest that ended where that one takes long, as on a
    large Harbor; None where its end is wrong, or none is known as yet.
    """
    front, admin = harbor.front_door, harbor.credentials
    job_id = None
    with findings.about(place, "a job can be started"):
        job_id = front.start_harmless_job(admin)
    if job_id is None:
        return None
    tell(f"waiting for job {job_id} to end: a garbage collection that collects nothing")
    status = known = None

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
            known = job_id
        except DeadlinePassed as late:
            if status not in _UNDER_WAY:
                job.wrong(str(late))
            elif before := front.newest_ended_job(admin, within_s=_KEPT_S):
                known = before
                tell(f"it goes on, so the log of job {before} is read, the newest that has ended")
            else:
                job.unknown(f"{late}; it changes nothing, and goes on: look again when it has ended")
    return known
