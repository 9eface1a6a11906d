"""The suite's own eyes on the stand-in: what it asks the database, Redis and the API of jobs, and the lab's defects."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import redis

from harbor_verify.clients.databases import open_sql
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.sql import Sql
from harbor_verify.model.jobs import JobStore, due, fired, next_due
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.profiles.harbor_2.api import Harbor2
from harbor_verify.profiles.harbor_2.jobs import Harbor2Jobs, job_store
from lab.defects import jobs_in_redis
from lab.defects.harbor_2 import (
    garbage_collection_failed,
    job_never_ends,
    queue_locked,
    queue_paused,
    schedule_fires_twice,
    schedules_share_a_score,
)
from tests.contract.harbor_2.replay import Client
from tests.contract.harbor_2.stack import (
    ADMIN_PASSWORD,
    DATABASE,
    DATABASE_PASSWORD,
    DATABASE_USER,
    REDIS_PASSWORD,
    Stack,
)
from tests.contract.programs import HOST, wait

VERSION = "2.15"
JOBS = Harbor2Jobs()
ADMIN = Credentials("admin", ADMIN_PASSWORD)
TIMEOUTS_S = (5.0, 30.0)
PURGE = {"audit_retention_hour": 168, "dry_run": True, "include_event_types": "create_artifact"}


@pytest.fixture
def sql(stack: Stack) -> Iterator[Sql]:
    port = stack["postgresql"].port
    database = Database("postgresql", HOST, port, DATABASE_USER, DATABASE_PASSWORD, DATABASE)
    with open_sql(database, f"{HOST}:{port}", timeouts_s=TIMEOUTS_S) as sql:
        yield sql


@pytest.fixture
def kept(stack: Stack) -> JobStore:
    """Where jobs are, as jobservice's own configuration says."""
    found = job_store({"config.yml": (stack.folder / "jobservice.yml").read_text()}, {})
    assert found
    return found


@pytest.fixture
def harbor(stack: Stack) -> Iterator[Harbor2]:
    link = HttpClient("core-a", stack.url("core-a"), timeouts_s=TIMEOUTS_S, verify=True)
    yield Harbor2(link)
    link.close()


@pytest.fixture
def lab(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What a defect is planted in."""
    store = redis.Redis(HOST, stack["redis"].port, db=2, password=REDIS_PASSWORD)

    def send(*words: str) -> None:
        store.execute_command(*words)

    monkeypatch.setattr(jobs_in_redis, "send", send)
    return SimpleNamespace(sql=stack.sql)


def scores(kept: JobStore) -> dict[str, int]:
    store: SessionStore = kept.store
    with RedisStore(store, store.address, timeouts_s=TIMEOUTS_S) as opened:
        return {json.loads(text)["id"]: score for text, score in opened.scored(kept.policies_key)}


def test_schedules_are_seen_alike_in_the_database_and_in_redis(sql: Sql, kept: JobStore) -> None:
    schedules = JOBS.schedules(sql)
    assert {schedule.kind for schedule in schedules} == {"SYSTEM_ARTIFACT_CLEANUP", "EXECUTION_SWEEP"}
    wait(lambda: scores(kept).keys() == {schedule.job_id for schedule in schedules}, "both have them")
    assert kept.longest_hours == 24
    now = datetime.now(UTC)
    assert abs(JOBS.now(sql) - now) < timedelta(seconds=5)
    assert all(now - schedule.made < timedelta(minutes=5) for schedule in schedules)


def test_schedules_that_share_a_score_are_seen_and_parted(lab: SimpleNamespace, kept: JobStore) -> None:
    schedules_share_a_score.DEFECT.plant_outside(lab)
    assert len(set(scores(kept).values())) == 1
    schedules_share_a_score.DEFECT.heal_outside(lab)
    assert len(set(scores(kept).values())) == len(scores(kept)) == 2


def test_what_a_schedule_starts_is_seen_once_and_twice_where_it_is(
    stack: Stack, client: Client, sql: Sql, lab: SimpleNamespace
) -> None:
    asked = {"schedule": {"type": "Custom", "cron": "*/2 * * * * *"}, "parameters": PURGE}
    assert client.api("PUT", "/system/purgeaudit/schedule", asked)[0] == 200
    (schedule,) = [each for each in JOBS.schedules(sql) if each.kind == "PURGE_AUDIT_LOG"]
    wait(lambda: len(JOBS.firings(sql, schedule, schedule.made)) >= 2, "it fires")
    began = JOBS.firings(sql, schedule, schedule.made)
    assert len(began) == len({at.replace(microsecond=0) for at in began})
    for _ in range(12):  # whenever one looks
        time.sleep(0.3)
        now = JOBS.now(sql)
        moments = due(schedule.cron, schedule.made, now - timedelta(seconds=2), most=10)
        if moments:
            began = JOBS.firings(sql, schedule, moments[0] - timedelta(seconds=1))
            assert not fired(moments, began, next_due(schedule.cron, moments[-1])).several
    began = JOBS.firings(sql, schedule, schedule.made)
    for _ in range(2):
        schedule_fires_twice.DEFECT.plant_outside(lab)
    twofold = JOBS.firings(sql, schedule, schedule.made)
    assert twofold.count(began[0]) == 2

    def twice() -> bool:
        began = JOBS.firings(sql, schedule, schedule.made)
        return len(began) >= len({at.replace(microsecond=0) for at in began}) + 2

    wait(twice, "it fires twice")
    assert JOBS.is_swept(sql, schedule, schedule.made) is False
    schedule_fires_twice.DEFECT.heal_outside(lab)
    assert client.api("PUT", "/system/purgeaudit/schedule", asked | {"schedule": {"type": "None"}})[0] == 200
    began = JOBS.firings(sql, schedule, schedule.made)
    assert len(began) == len({at.replace(microsecond=0) for at in began})


def test_what_never_ends_is_seen_and_gone_again(sql: Sql, lab: SimpleNamespace) -> None:
    assert JOBS.open_executions(sql, 900) == []
    for _ in range(2):
        job_never_ends.DEFECT.plant_outside(lab)
    (execution,) = JOBS.open_executions(sql, 900)
    assert (execution.kind, execution.tasks) == ("REPLICATION", 1)
    (task,) = execution.open_tasks
    assert task.status == "Running"
    assert 7000 < task.age_s < 7400
    assert 7000 < execution.age_s < 7400
    assert 7000 < execution.quiet_s < 7400
    job_never_ends.DEFECT.heal_outside(lab)
    assert JOBS.open_executions(sql, 900) == []


def test_queues_are_seen_paused_and_not_worked_off(harbor: Harbor2, lab: SimpleNamespace) -> None:
    def queue(kind: str) -> tuple[int, bool, bool]:
        (found,) = [each for each in harbor.queues(ADMIN) if each.kind == kind]
        return found.count, found.oldest_s >= 900, found.paused

    assert queue("REPLICATION") == queue("SYSTEM_ARTIFACT_CLEANUP") == (0, False, False)
    wait(lambda: not any(worker.job_id for worker in harbor.workers(ADMIN)), "what was under way has ended")
    assert [(worker.kind, worker.since) for worker in harbor.workers(ADMIN)] == [("", None)] * 10
    queue_paused.DEFECT.plant_outside(lab)
    queue_locked.DEFECT.plant_outside(lab)
    assert queue("REPLICATION") == (0, False, True)
    assert queue("SYSTEM_ARTIFACT_CLEANUP") == (1, True, False)
    queue_paused.DEFECT.heal_outside(lab)
    queue_locked.DEFECT.heal_outside(lab)
    assert queue("REPLICATION") == queue("SYSTEM_ARTIFACT_CLEANUP") == (0, False, False)


def test_a_worker_that_is_at_something_says_at_what(stack: Stack, harbor: Harbor2) -> None:
    store = redis.Redis(HOST, stack["redis"].port, db=2, password=REDIS_PASSWORD)
    namespace = "{harbor_job_service_namespace}"
    (pool,) = store.smembers(f"{namespace}:worker_pools")
    first = store.hget(f"{namespace}:worker_pools:{pool.decode()}", "worker_ids").decode().split(",")[0]
    at = {"job_name": "REPLICATION", "job_id": "a", "started_at": 1795764871}
    store.hset(f"{namespace}:worker:{first}", mapping=at)
    (busy,) = [worker for worker in harbor.workers(ADMIN) if worker.job_id]
    assert (busy.kind, busy.job_id, busy.since) == (
        "REPLICATION",
        "a",
        datetime.fromtimestamp(1795764871, UTC),
    )
    store.delete(f"{namespace}:worker:{first}")


def test_garbage_collections_are_seen_with_how_they_ended(harbor: Harbor2, lab: SimpleNamespace) -> None:
    assert harbor.collections(ADMIN) == []
    founded = harbor.founded(ADMIN)
    assert founded
    assert datetime.now(UTC) - founded < timedelta(minutes=5)
    for _ in range(2):
        garbage_collection_failed.DEFECT.plant_outside(lab)
    (failed,) = harbor.collections(ADMIN)
    assert (failed.status, failed.is_trial, failed.freed_bytes) == ("Error", False, None)
    assert timedelta(hours=6) < datetime.now(UTC) - failed.changed < timedelta(hours=8)
    garbage_collection_failed.DEFECT.heal_outside(lab)
    trial = harbor.start_harmless_job(ADMIN)
    wait(lambda: harbor.job_status(trial, ADMIN) == "Success", "it ends", 60)
    (ended,) = harbor.collections(ADMIN)
    assert (ended.id, ended.is_trial, ended.freed_bytes) == (trial, True, 0)
