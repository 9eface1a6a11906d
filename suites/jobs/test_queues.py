"""Queues of jobs: whether anybody works them off, and whether what was begun ends."""

from harbor_verify import jobs
from harbor_verify.checks import check
from harbor_verify.clients.capabilities import Queue
from harbor_verify.database import harbors_database
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target

_LONG_S = 900
"""For ten and a half minutes a job of a replica that was killed may wait until another takes it up."""
_REAPED_S = 2 * 3600
"""A job that said nothing for as long as it may take is called failed at the next of the hourly looks for such jobs,
though a worker is at it."""
_SCHEDULES = "SCHEDULER"


@check(
    "jobs.queues-not-paused",
    hint="Somebody paused it (Administration, Job Service Dashboard), and it stays so through restarts: what comes "
    "waits, and nobody is told. Resume it there; all that has piled up then runs. SCHEDULER is the one of all "
    "schedules.",
    source="Harbor: GET jobservice/queues; job_queue_status in the database, jobs:NAME:paused in Redis",
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("configuration.health-body-is-healthy",),
)
def test_no_queue_of_jobs_is_paused(harbor: Target, findings: Findings, not_applicable):
    """No queue of jobs is paused.

    Source: Harbor's own list of queues.
    """
    for queue in _told(harbor, findings, not_applicable, "queues") or ():
        with findings.about(f"queue {queue.kind}", "it is not paused") as each:
            if queue.paused:
                what = "no schedule fires" if queue.kind == _SCHEDULES else "nothing of it runs"
                each.wrong(f"it is paused: {what}{_waiting(queue)}")


@check(
    "jobs.queues-worked-off",
    hint="Do {job} replicas run, and are their workers known (Administration, Job Service Dashboard)? `kubectl logs` "
    "of them: an error of Redis, over and over. Of some kinds one runs at a time: a {job} that was killed keeps the "
    "lock (jobs:NAME:lock in Redis; jobs:NAME:lock_info says whose). Another takes it away, ten seconds after its "
    "start or every ten minutes, as long as the dead one is in `worker_pools`. A lock that stays: let the {job} "
    "restart; where that does not help, set it to the number of those that run.",
    source="Harbor: GET jobservice/queues, jobservice/pools; gocraft/work, dead pool reaper",
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("configuration.health-body-is-healthy", "sessions.replicas-follow-the-primary"),
)
def test_jobs_that_wait_are_taken(harbor: Target, findings: Findings, not_applicable, measured):
    """No job waits for a quarter of an hour while workers are idle, none of which is at such a job.

    Source: Harbor's own list of queues and workers. Queues that are paused are told apart (jobs.queues-not-paused).
    """
    queues = _told(harbor, findings, not_applicable, "queues")
    workers = _told(harbor, findings, not_applicable, "workers")
    if queues is None or workers is None:
        return
    busy = {worker.kind for worker in workers if worker.job_id}
    idle = [worker for worker in workers if not worker.job_id]
    measured["longest_wait_s"] = max((queue.oldest_s for queue in queues), default=0)
    measured["jobs_waiting_count"] = sum(queue.count for queue in queues)
    with findings.about(harbor.workload(Role.JOB).object, "Harbor knows workers of it") as workload:
        if not workers:
            workload.wrong("it knows none: nobody takes a job")
    for queue in queues:
        if queue.paused:
            continue
        with findings.about(
            f"queue {queue.kind}", "what waits is taken, as long as a worker is idle"
        ) as each:
            if queue.oldest_s >= _LONG_S and idle and queue.kind not in busy:
                each.wrong(f"{_waiting(queue).removeprefix('; ')}, and {len(idle)} workers are idle")


@check(
    "jobs.jobs-end",
    hint="Nobody works at it: its {job} died, and what it had in hand is gone from Redis, or the word that it ended "
    "never came to the {web}. Stop it (where it was started: garbage collection, replication, …), and start it anew. A "
    "worker is at it: its log says where it hangs, often at a storage or a registry that does not answer; `Stop` asks "
    "it to end, and a restart of that {job} pod lets another begin it again. As long as one of a kind of which one "
    "runs at a time does not end, none of that kind runs.",
    source="Harbor: tables execution and task, GET jobservice/pools/all/workers; reaper.max_update_hours",
    needs=("database",),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=(
        "configuration.health-body-is-healthy",
        "database.reachable",
        "jobs.queues-not-paused",
        "jobs.queues-worked-off",
    ),
)
def test_what_was_begun_ends(harbor: Target, findings: Findings, not_applicable, measured):
    """Every job that is said to run is one that a worker is at, and what was begun gets on until it ends.

    Source: executions and tasks in the database that have not ended, against what workers say. An execution may take
    for days, as long as a worker is at a task of it or a task of it changes within max_update_hours of the reaper, a
    day at least. Tasks may wait meanwhile.
    """
    longest_s = jobs.longest_s(harbor)
    with harbors_database(harbor) as sql:
        before = jobs.records(harbor).open_executions(sql, _LONG_S)
        workers = _told(harbor, findings, not_applicable, "workers")
        # What has ended meanwhile was nobody's any more when the workers were asked.
        still = {each.id: each for each in jobs.records(harbor).open_executions(sql, _LONG_S)}
    if workers is None:
        return
    at_work = {worker.job_id for worker in workers if worker.job_id}
    measured["open_executions_count"] = len(still)
    with findings.about("table execution", "what is said to run, somebody runs"):
        pass  # that nothing is open for long is well
    for execution in [still[each.id] for each in before if each.id in still]:
        expected = (
            f"it gets on: a worker is at it, or a task of it has changed within {longest_s // 3600} hours"
        )
        with findings.about(str(execution), expected) as each:
            left = [
                task
                for task in execution.open_tasks
                if task.status == "Running" and task.age_s >= _LONG_S and task.job_id not in at_work
            ]
            since = f"for {_span(execution.age_s)}"
            if left:
                each.wrong(
                    f"it runs {since}; of its tasks ({execution.tasks}) no worker is at {len(left)} that are said to "
                    f"run: job {left[0].job_id or 'without an id'}{' and others' if len(left) > 1 else ''}"
                )
            elif execution.quiet_s >= longest_s + (
                _REAPED_S if any(task.job_id in at_work for task in execution.open_tasks) else 0
            ):
                each.wrong(f"it runs {since}; {_state(execution)}")


def _state(execution) -> str:
    if not execution.tasks:
        return "it has no task: whoever was to make them died over it"
    if not execution.unended:
        return f"all of its {execution.tasks} tasks have ended, and nobody has written that down"
    told = ", ".join(sorted({task.status for task in execution.open_tasks}))
    return (
        f"{execution.unended} of {execution.tasks} tasks have not ended ({told}), and none has changed for "
        f"{_span(execution.quiet_s)}"
    )


def _told(harbor: Target, findings: Findings, not_applicable, what: str):
    """Harbor's own list of `queues` or `workers`; None where it does not give it, which is what is wrong."""
    told = None
    with findings.about(harbor.workload(Role.JOB).object, f"Harbor tells of its {what}"):
        try:
            told = getattr(harbor.front_door, what)(harbor.credentials)
        except UnexpectedAnswer as refused:
            if refused.status == 404:
                not_applicable("this Harbor is older than 2.7, and tells nothing of its queues")
            raise
    return told


def _waiting(queue: Queue) -> str:
    wait = "1 waits" if queue.count == 1 else f"{queue.count} wait, the first"
    return f"; {wait} for {_span(queue.oldest_s)}" if queue.count else ""


def _span(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
