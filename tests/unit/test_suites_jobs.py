"""The checks of schedules, of queues, and of what was begun, on evidence that was doctored."""

from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import jobs as library
from harbor_verify.clients.capabilities import Queue, Worker
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import (
    CannotTell,
    NotApplicable,
    StoreRefused,
    UnexpectedAnswer,
)
from harbor_verify.model.jobs import JobStore, OpenExecution, OpenTask, Policy, Schedule
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import SessionStore
from suites.failover import test_job_pod_kill
from suites.jobs import test_queues as queues
from suites.jobs import test_schedules as schedules
from tests.unit.running import examine, never, not_applicable, offenders_of

IN_REDIS = schedules.test_redis_has_every_schedule_that_the_database_has
SCORES = schedules.test_no_schedule_is_taken_out_with_another
FIRE = schedules.test_schedules_fired_when_they_were_due_and_once
PAUSED = queues.test_no_queue_of_jobs_is_paused
TAKEN = queues.test_jobs_that_wait_are_taken
END = queues.test_what_was_begun_ends

NOW = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)
DAILY, EACH_MINUTE = "0 0 3 * * *", "0 * * * * *"
STORE = JobStore(SessionStore("redis", 6379, "hush", 1), "{jobs}", 24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REFUSED = StoreRefused("connection refused")


def schedule(
    id=5, kind="GARBAGE_COLLECTION", *, subject=-1, cron=DAILY, job_id="gc", made=NOW - 9 * DAY, **more
):
    return Schedule(id, kind, subject, cron, job_id, made, **more)


class Records:
    """A database: what a schedule started, by its id; each question may be answered by an exception."""

    def __init__(self, schedules=(), began=None, *, swept=False, open=(), open_later=None, clock=None):
        self._schedules, self._began, self._swept = list(schedules), began or {}, swept
        self._open = [list(open), list(open if open_later is None else open_later)]
        self._clock = clock or (lambda: NOW)

    def now(self, sql):
        return self._clock()

    def schedules(self, sql):
        return self._schedules

    def firings(self, sql, schedule, since):
        return [at for at in self._began.get(schedule.id, ()) if at >= since]

    def is_swept(self, sql, schedule, before):
        return self._swept

    def open_executions(self, sql, older_than_s):
        return self._open.pop(0) if len(self._open) > 1 else self._open[0]


@pytest.fixture
def harbor(monkeypatch):
    """`harbor(records, policies=…, …)`: a Harbor whose database, Redis and API say this."""

    @contextmanager
    def database(target):
        yield None

    for module in (schedules, queues):
        monkeypatch.setattr(module, "harbors_database", database)
    monkeypatch.setattr(schedules, "_SETTLES_S", 0.05)
    monkeypatch.setattr(schedules, "_LATE_S", 0.05)

    def make(
        records=None,
        *,
        policies=(),
        started=NOW - 9 * DAY,
        serve=(NOW - 9 * DAY,),
        ready=(NOW - 9 * DAY,),
        **answers,
    ):
        """`serve`: since when each job replica is Ready (None: it is not); `ready`: the same of web replicas."""

        def answer(name):
            def asked(credentials):
                told = answers.get(name, [])
                if isinstance(told, Exception):
                    raise told
                return told

            return asked

        @contextmanager
        def redis(store):
            if isinstance(policies, Exception):
                raise policies
            yield SimpleNamespace(scored=lambda key: [(raw(policy), policy.score) for policy in policies])

        running = client.V1ContainerState(running=client.V1ContainerStateRunning(started_at=started))
        status = client.V1ContainerStatus(
            name="job", state=running, image="i", image_id="i", ready=True, restart_count=0
        )
        spec = client.V1PodSpec(containers=[client.V1Container(name="job")], volumes=[])
        jobs = []
        for since in serve:
            told = client.V1PodStatus(
                container_statuses=[status] if started else [], conditions=became(since).conditions
            )
            pod = SimpleNamespace(spec=spec, status=told)
            jobs.append(SimpleNamespace(object="pod h/job-0", pod=pod, container=SimpleNamespace(name="job")))
        web = [SimpleNamespace(pod=SimpleNamespace(status=became(since))) for since in ready]
        monkeypatch.setattr(library, "_declared", lambda target: STORE)
        names = ("queues", "workers")
        return SimpleNamespace(
            credentials=Credentials("admin", "hush"),
            profile=SimpleNamespace(name="harbor-9", jobs=records),
            front_door=SimpleNamespace(**{name: answer(name) for name in names}),
            replicas=lambda role: jobs if role is Role.JOB else web,
            workload=lambda role: SimpleNamespace(object=f"Deployment h/{role.value}"),
            settings=SimpleNamespace(session_store_address=None),
            redis=redis,
        )

    return make


def became(ready):
    """The status of a pod that is Ready since then, or not (None)."""
    condition = client.V1PodCondition(
        type="Ready", status=str(bool(ready)), last_transition_time=ready or NOW
    )
    return client.V1PodStatus(conditions=[condition])


def raw(policy):
    return f'{{"id": "{policy.job_id}", "job_name": "SCHEDULER", "cron_spec": "{policy.cron}", "web_hook_url": "x"}}'


def fire(target, **given):
    return (target, given.get("not_applicable", never), given.setdefault("measured", {}), lambda text: None)


def test_schedules_that_are_in_both_are_well(harbor):
    measured = {}
    target = harbor(Records([schedule()]), policies=[Policy("gc", DAILY, 7)])
    listed = {}
    examine(IN_REDIS, target, measured, listed)
    assert measured == {"schedules_count": 1, "schedules_in_redis_count": 1}
    (row,) = listed["schedules"]
    assert row["redis_cron"] == row["cron"]


@pytest.mark.parametrize(
    "known, policies, object, told",
    [
        (schedule(), [], "schedule 5 GARBAGE_COLLECTION", "it is not there: it does not fire"),
        (schedule(job_id=""), [], "schedule 5 GARBAGE_COLLECTION", "it has no job"),
        (
            schedule(),
            [Policy("gc", EACH_MINUTE, 7)],
            "schedule 5 GARBAGE_COLLECTION",
            f"it fires at {EACH_MINUTE}",
        ),
        (
            schedule(),
            [Policy("gc", DAILY, 7), Policy("old", DAILY, 8)],
            "Redis redis:6379, database 1",
            "job old fires at",
        ),
        (schedule(kind="RETENTION", subject=2), [], "schedule 5 RETENTION of policy 2", "not there"),
    ],
)
def test_what_is_in_one_of_them_only_or_at_another_time_is_named(harbor, known, policies, object, told):
    (offender,) = offenders_of(IN_REDIS, harbor(Records([known]), policies=policies), {})
    assert offender.object == object
    assert told in offender.observed


def test_a_schedule_that_somebody_makes_just_now_is_nobodys_failure(harbor, monkeypatch):
    target = harbor(Records([schedule()]), policies=[Policy("gc", DAILY, 7)])
    seen = iter([[], [Policy("gc", DAILY, 7)]])
    monkeypatch.setattr(schedules, "_SETTLES_S", 5)
    monkeypatch.setattr(library, "policies", lambda target, store: next(seen))
    examine(IN_REDIS, target, {})


@pytest.mark.parametrize("check", [IN_REDIS, SCORES])
def test_a_redis_that_refuses_or_holds_what_cannot_be_read_is_unknown(harbor, check, monkeypatch):
    with pytest.raises(CannotTell, match="refused"):
        examine(check, harbor(Records(), policies=REFUSED), *([{}] if check is IN_REDIS else [never]))
    monkeypatch.setitem(globals(), "raw", lambda policy: "no JSON")
    target = harbor(Records(), policies=[Policy("gc", DAILY, 7)])
    with pytest.raises(CannotTell, match="what is no schedule"):
        examine(check, target, *([{}] if check is IN_REDIS else [never]))


def test_scores_of_their_own_are_well_and_shared_ones_are_told_with_their_schedules(harbor):
    apart = [Policy("gc", DAILY, 7), Policy("purge", DAILY, 8)]
    examine(SCORES, harbor(policies=apart), never)
    (offender,) = offenders_of(SCORES, harbor(policies=[*apart, Policy("scan", EACH_MINUTE, 7)]), never)
    assert offender.observed == f"2 schedules have score 7: job gc ({DAILY}), job scan ({EACH_MINUTE})"
    with pytest.raises(NotApplicable):
        examine(SCORES, harbor(policies=[]), not_applicable)


def test_a_schedule_whose_policy_is_disabled_starts_nothing(harbor):
    asleep = schedule(6, "P2P_PREHEAT", subject=2, enabled=False)
    listed = defaultdict(list)
    with pytest.raises(
        NotApplicable, match=r"schedule 6 P2P_PREHEAT of policy 2: never, its policy is disabled"
    ):
        examine(FIRE, *fire(harbor(Records([asleep])), not_applicable=not_applicable), listed=listed)
    assert not listed["schedules"]
    (offender,) = offenders_of(FIRE, *fire(harbor(Records([schedule(), asleep]))))
    assert offender.object == "schedule 5 GARBAGE_COLLECTION"


THREE = NOW.replace(hour=3, minute=0, second=0)


def test_a_schedule_that_fired_at_its_last_moments_is_well(harbor):
    measured = {}
    began = [THREE - number * DAY + timedelta(seconds=3) for number in range(8, -1, -1)]
    listed = defaultdict(list)
    examine(FIRE, *fire(harbor(Records([schedule()], {5: began})), measured=measured), listed=listed)
    assert measured == {"moments_looked_at_count": 9}
    (row,) = listed["schedules"]
    assert (row["due"], row["fired"]) == ("2026-11-28T03:00:00+00:00", "2026-11-28T03:00:03+00:00")
    assert row["next"] == "2026-11-29T03:00:00+00:00"


@pytest.mark.parametrize(
    "began, told",
    [
        ([THREE - DAY], ["nothing began at 2026-11-28 03:00:00 UTC"]),
        ([], ["nothing began at 2026-11-28 03:00:00 UTC"]),
        ([THREE - DAY, THREE, THREE + HOUR], ["2 began at 2026-11-28 03:00:00 UTC"]),
        ([THREE - DAY, THREE - DAY, THREE], ["2 began at 2026-11-27 03:00:00 UTC"]),
    ],
)
def test_a_moment_at_which_nothing_or_too_much_began_is_told(harbor, began, told):
    target = harbor(Records([schedule()], {5: began}), started=THREE - 3 * DAY + HOUR)
    every = sorted([*began, THREE - 2 * DAY]) if began else []
    target.profile.jobs._began = {5: every}
    offenders = offenders_of(FIRE, *fire(target))
    assert [each.observed for each in offenders] == told
    assert offenders[0].object == "schedule 5 GARBAGE_COLLECTION"


def test_what_began_since_the_last_moment_that_is_judged_is_no_second(harbor, monkeypatch):
    monkeypatch.setattr(schedules, "_LATE_S", 60)
    minutes = schedule(cron=EACH_MINUTE, made=NOW - timedelta(seconds=95))
    began = [NOW.replace(second=0) - timedelta(minutes=1), NOW.replace(second=0)]
    measured = {}
    examine(FIRE, *fire(harbor(Records([minutes], {5: began})), measured=measured))
    assert measured == {"moments_looked_at_count": 1}


def test_what_was_swept_since_is_unknown(harbor):
    listed = defaultdict(list)
    with pytest.raises(CannotTell, match="may have been removed"):
        examine(FIRE, *fire(harbor(Records([schedule()], swept=True))), listed=listed)
    assert listed["schedules"][0].keys() == {"what", "cron", "next"}


@pytest.mark.parametrize(
    "made, since",
    [
        (NOW - HOUR, {}),
        (NOW - 9 * DAY, {"started": NOW - HOUR}),
        (NOW - 9 * DAY, {"serve": (None, NOW - HOUR)}),
        (NOW - 9 * DAY, {"ready": (NOW - HOUR, None, NOW - HOUR / 2)}),
        (NOW - 9 * DAY, {"ready": (THREE - timedelta(seconds=4),)}),
    ],
)
def test_what_was_not_due_since_it_was_made_or_the_replicas_run_is_not_judged(harbor, made, since):
    target = harbor(Records([schedule(made=made)]), **since)
    with pytest.raises(NotApplicable, match=r"schedule 5 GARBAGE_COLLECTION: 2026-11-29 03:00:00"):
        examine(FIRE, *fire(target, not_applicable=not_applicable))
    with pytest.raises(NotApplicable, match="there is no schedule"):
        examine(FIRE, *fire(harbor(Records()), not_applicable=not_applicable))


def test_what_is_due_in_a_moment_is_waited_for(harbor):
    near = NOW.replace(minute=1, second=0)
    minutes = schedule(cron=EACH_MINUTE, made=NOW - timedelta(seconds=5))
    waited = []

    def awaited(began):
        records = Records([minutes], {5: began}, clock=lambda: near - timedelta(seconds=0.1))
        given = fire(harbor(records))
        return (*given[:3], waited.append)

    examine(FIRE, *awaited([near + timedelta(seconds=3)]))
    assert waited == ["waiting for schedule 5 GARBAGE_COLLECTION, which is due at 12:01:00 UTC"]
    (offender,) = offenders_of(FIRE, *awaited([]))
    assert offender.observed == "nothing began at 2026-11-28 12:01:00 UTC"
    (offender,) = offenders_of(FIRE, *awaited([near, near]))
    assert offender.observed == "2 began at 2026-11-28 12:01:00 UTC"


def test_an_expression_that_is_none_never_fires(harbor):
    (offender,) = offenders_of(FIRE, *fire(harbor(Records([schedule(cron="0 3 * * *")]))))
    assert "it never fires" in offender.observed


def test_while_no_job_replica_runs_nothing_can_be_said(harbor):
    with pytest.raises(CannotTell, match="Deployment h/job runs"):
        examine(FIRE, *fire(harbor(Records([schedule()]), started=None)))


@pytest.mark.parametrize(
    "who, since",
    [
        ("ready", (None, THREE - HOUR, NOW - HOUR)),
        ("ready", (None,)),
        ("ready", ()),
        ("serve", (None, THREE - HOUR, NOW - HOUR)),
        ("serve", (None,)),
    ],
)
def test_what_was_due_while_one_was_there_to_fire_or_be_told_or_none_is_now_is_judged(harbor, who, since):
    (offender,) = offenders_of(FIRE, *fire(harbor(Records([schedule()]), **{who: since})))
    assert offender.observed == "nothing began at 2026-11-28 03:00:00 UTC"


OLD = UnexpectedAnswer("GET /jobservice/queues → 404", status=404)


def test_queues_that_nobody_paused_are_well(harbor):
    examine(
        PAUSED, harbor(queues=[Queue("SCHEDULER", 0, 0, False), Queue("REPLICATION", 2, 5, False)]), never
    )


@pytest.mark.parametrize(
    "queue, told",
    [
        (Queue("REPLICATION", 0, 0, True), "it is paused: nothing of it runs"),
        (
            Queue("REPLICATION", 3, 7260, True),
            "it is paused: nothing of it runs; 3 wait, the first for 2 h 1 min",
        ),
        (Queue("SCHEDULER", 0, 0, True), "it is paused: no schedule fires"),
        (Queue("SCHEDULER", 1, 61, True), "it is paused: no schedule fires; 1 waits for 1 min"),
    ],
)
def test_a_queue_that_is_paused_is_named_with_what_waits(harbor, queue, told):
    (offender,) = offenders_of(PAUSED, harbor(queues=[Queue("WEBHOOK", 0, 0, False), queue]), never)
    assert offender.object == f"queue {queue.kind}"
    assert offender.observed == told


def test_a_harbor_that_tells_nothing_of_its_queues_is_passed_over_and_one_that_fails_is_not(harbor):
    for check, more in ((PAUSED, ()), (TAKEN, ({},))):
        with pytest.raises(NotApplicable, match=r"older than 2\.7"):
            examine(check, harbor(queues=OLD), not_applicable, *more)
        (offender, *_) = offenders_of(
            check, harbor(queues=UnexpectedAnswer("→ 500", status=500)), never, *more
        )
        assert (offender.object, offender.observed) == ("Deployment h/job", "→ 500")


IDLE, BUSY = Worker("p"), Worker("p", "REPLICATION", "a", NOW)


@pytest.mark.parametrize(
    "queue, workers",
    [
        (Queue("REPLICATION", 0, 0, False), [IDLE]),
        (Queue("REPLICATION", 9, 899, False), [IDLE]),
        (Queue("REPLICATION", 9, 9000, False), [IDLE, BUSY]),  # they are at it
        (Queue("RETENTION", 9, 9000, False), [BUSY, BUSY]),  # nobody has time
        (Queue("REPLICATION", 9, 9000, True), [IDLE]),  # told by another check
    ],
)
def test_jobs_that_wait_for_a_while_or_for_workers_are_well(harbor, queue, workers):
    measured = {}
    examine(TAKEN, harbor(queues=[queue], workers=workers), never, measured)
    assert measured == {"longest_wait_s": queue.oldest_s, "jobs_waiting_count": queue.count}


def test_a_queue_that_nobody_works_off_is_named(harbor):
    target = harbor(queues=[Queue("RETENTION", 2, 3600, False)], workers=[IDLE, IDLE, BUSY])
    (offender,) = offenders_of(TAKEN, target, never, {})
    assert (offender.object, offender.observed) == (
        "queue RETENTION",
        "2 wait, the first for 1 h 0 min, and 2 workers are idle",
    )


def test_without_a_worker_nobody_takes_a_job(harbor):
    (offender,) = offenders_of(TAKEN, harbor(queues=[Queue("RETENTION", 2, 3600, False)]), never, {})
    assert offender.object == "Deployment h/job"


def running(age_s, *tasks, id=4, count=None, quiet_s=None):
    """`quiet_s` without: since the last of its open tasks changed."""
    total = len(tasks) if count is None else count
    quiet = min((task.age_s for task in tasks), default=age_s) if quiet_s is None else quiet_s
    return OpenExecution(id, "REPLICATION", age_s, quiet, total, len(tasks), tasks)


LOST = running(7200, OpenTask("b", "Running", 7100))


def test_nothing_open_or_what_a_worker_is_at_is_well(harbor):
    examine(END, harbor(Records()), never, {})
    measured = {}
    at_it = running(7200, OpenTask("a", "Running", 7100), OpenTask("", "Pending", 7100))
    examine(END, harbor(Records(open=[at_it]), workers=[BUSY]), never, measured)
    assert measured == {"open_executions_count": 1}
    just_begun = running(7200, OpenTask("b", "Running", 60))
    examine(END, harbor(Records(open=[just_begun]), workers=[BUSY]), never, {})


def test_what_ended_while_workers_were_asked_is_well(harbor):
    examine(END, harbor(Records(open=[LOST], open_later=[]), workers=[BUSY]), never, {})


@pytest.mark.parametrize(
    "execution, told",
    [
        (LOST, "it runs for 2 h 0 min; of its tasks (1) no worker is at 1 that are said to run: job b"),
        (
            running(7200, *LOST.open_tasks, *LOST.open_tasks),
            "of its tasks (2) no worker is at 2 that are said to run: job b and others",
        ),
        (
            running(97200, OpenTask("a", "Running", 97200)),
            "it runs for 27 h 0 min; 1 of 1 tasks have not ended (Running), and none has changed for 27 h 0 min",
        ),
        (
            running(200000, OpenTask("", "Pending", 90000), OpenTask("", "Scheduled", 100000)),
            "2 of 2 tasks have not ended (Pending, Scheduled), and none has changed for 25 h 0 min",
        ),
        (running(90000, OpenTask("", "Pending", 90000)), "1 of 1 tasks have not ended (Pending)"),
        (running(90000), "it has no task"),
        (running(90000, count=3), "all of its 3 tasks have ended"),
    ],
)
def test_what_nobody_is_at_or_takes_too_long_is_named(harbor, execution, told):
    (offender,) = offenders_of(END, harbor(Records(open=[execution]), workers=[BUSY]), never, {})
    assert offender.object == "execution 4 REPLICATION"
    assert told in offender.observed


DAYS_S = 3 * 86400
LONG = tuple(OpenTask("", "Pending", DAYS_S) for _ in range(2))


@pytest.mark.parametrize(
    "execution",
    [
        running(DAYS_S, OpenTask("a", "Running", 7100), *LONG),  # a worker is at it
        running(DAYS_S, OpenTask("b", "Running", 60), *LONG),  # one has just begun
        running(DAYS_S, *LONG, count=900, quiet_s=600),  # one has just ended; workers are busy elsewhere
        running(90000, OpenTask("a", "Running", 90000)),  # Harbor calls that failed soon
    ],
)
def test_what_takes_for_days_and_gets_on_is_well(harbor, execution):
    examine(END, harbor(Records(open=[execution]), workers=[BUSY]), never, {})


def test_workers_that_are_not_told_are_what_is_wrong(harbor):
    silent = harbor(Records(open=[LOST]), workers=UnexpectedAnswer("→ 500", status=500))
    (offender,) = offenders_of(END, silent, never, {})
    assert (offender.object, offender.observed) == ("Deployment h/job", "→ 500")
    with pytest.raises(NotApplicable):
        examine(END, harbor(Records(open=[LOST]), workers=OLD), not_applicable, {})


OUTLIVE = test_job_pod_kill.test_schedules_outlive_the_death_of_a_job_pod


@pytest.fixture
def killed(harbor, monkeypatch):
    """`killed(began)`: a Harbor in which a job pod dies at noon, and what its schedule of each minute started."""

    @contextmanager
    def database(target):
        yield None

    monkeypatch.setattr(test_job_pod_kill, "harbors_database", database)
    monkeypatch.setattr(test_job_pod_kill, "_LATE", timedelta(seconds=-29.9))

    def make(*began, cron=EACH_MINUTE, enabled=True):
        clock = [NOW]
        records = Records([schedule(cron=cron, enabled=enabled)], {5: list(began)}, clock=lambda: clock[0])

        def kill(role):
            clock[0] = NOW + timedelta(minutes=2)
            return SimpleNamespace(measured={"outage_ms": 0})

        return harbor(records), SimpleNamespace(abrupt_pod_kill=kill)

    return make


MOMENTS = [NOW.replace(second=3) + number * timedelta(minutes=1) for number in (1, 2, 3)]


def test_a_schedule_that_fires_on_while_a_job_pod_dies_is_well(killed):
    measured = {}
    examine(OUTLIVE, *killed(*MOMENTS), never, measured)
    assert measured == {"outage_ms": 0}
    late = MOMENTS[1] + timedelta(seconds=70)
    examine(OUTLIVE, *killed(MOMENTS[0], late, MOMENTS[2] + timedelta(seconds=20)), never, {})


@pytest.mark.parametrize(
    "began, told",
    [
        (MOMENTS[:2], "nothing began at 2026-11-28 12:03:00 UTC"),
        ([*MOMENTS[:2], MOMENTS[1], MOMENTS[2]], "2 began at 2026-11-28 12:02:00 UTC"),
    ],
)
def test_a_schedule_that_falls_silent_or_stutters_when_a_job_pod_dies_is_named(killed, began, told):
    (offender,) = offenders_of(OUTLIVE, *killed(*began), never, {})
    assert (offender.object, offender.observed) == ("schedule 5 GARBAGE_COLLECTION", told)


def test_what_a_disabled_policy_would_start_is_not_waited_for(killed):
    with pytest.raises(NotApplicable):
        examine(OUTLIVE, *killed(enabled=False), not_applicable, {})


def test_what_is_due_at_night_is_not_seen_to_outlive_anything(killed):
    with pytest.raises(NotApplicable):
        examine(OUTLIVE, *killed(cron=DAILY), not_applicable, {})
