"""Schedules: what the database has of them and what Redis has, when they fire, and what is lost with Redis.

Recorded from v2.15.2: schedules, schedule-fires, schedule-off, schedule-task, purge-none.
"""

import json
import time
from collections.abc import Iterator

import pytest
import redis

from tests.contract.harbor_2 import recordings
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import REDIS_PASSWORD, Stack
from tests.contract.programs import HOST, free_port, wait

VERSION = "2.15"
JOBS = "{harbor_job_service_namespace}"
PURGE = {"audit_retention_hour": 168, "dry_run": True, "include_event_types": "create_artifact"}
OF_EVERY_HARBOR = {"SYSTEM_ARTIFACT_CLEANUP", "EXECUTION_SWEEP"}
QUEUE = f"{JOBS}:jobs:GARBAGE_COLLECTION"


@pytest.fixture
def store(stack: Stack) -> Iterator[redis.Redis]:
    with redis.Redis(HOST, stack["redis"].port, db=2, password=REDIS_PASSWORD) as store:
        yield store


def policies(store: redis.Redis) -> dict[str, int]:
    """Scores by the ids of jobs."""
    found = store.zrange(f"{JOBS}:period:policies", 0, -1, withscores=True)
    return {json.loads(raw)["id"]: int(score) for raw, score in found}


def known(stack: Stack) -> dict[str, str]:
    """Kinds of schedules by the ids of their jobs, as the database has them."""
    rows = stack.sql(
        """SELECT t.job_id, s.vendor_type FROM schedule s
            JOIN execution e ON e.vendor_type = 'SCHEDULER' AND e.vendor_id = s.id
            JOIN task t ON t.execution_id = e.id"""
    )
    return dict(rows)


def executions(stack: Stack) -> list[str]:
    """The seconds in which the purge has begun by schedule, in their order."""
    rows = stack.sql(
        """SELECT extract(epoch FROM date_trunc('second', start_time))::bigint FROM execution
            WHERE vendor_type = 'PURGE_AUDIT_LOG' AND trigger = 'SCHEDULE' ORDER BY id"""
    )
    return [second for (second,) in rows]


def put(client: Client, kind: str, cron: str = "", path: str = "purgeaudit", **parameters: object) -> int:
    asked = {"schedule": {"type": kind, "cron": cron}, "parameters": {**PURGE, **parameters}}
    return client.api("PUT", f"/system/{path}/schedule", asked)[0]


def restart(stack: Stack) -> None:
    stack["jobservice"].end(9)
    stack["jobservice"].start()


def whole(stack: Stack, store: redis.Redis) -> None:
    wait(lambda: policies(store).keys() == known(stack).keys(), "Redis has what the database has")


def test_a_new_harbor_has_its_two_schedules_in_both(stack: Stack, store: redis.Redis) -> None:
    whole(stack, store)
    assert set(known(stack).values()) == OF_EVERY_HARBOR
    raw = json.loads(store.zrange(f"{JOBS}:period:policies", 0, 0)[0])
    assert raw.keys() == {"id", "job_name", "cron_spec", "web_hook_url"}
    assert (raw["job_name"], raw["cron_spec"]) == ("SCHEDULER", "0 0 0 * * *")
    assert "/service/notifications/tasks/" in raw["web_hook_url"]


def test_a_schedule_is_in_both_and_its_task_pending(stack: Stack, client: Client, store: redis.Redis) -> None:
    assert put(client, "Custom", "0 0 3 * * *") == 200
    assert set(known(stack).values()) == OF_EVERY_HARBOR | {"PURGE_AUDIT_LOG"}
    whole(stack, store)
    rows = stack.sql(
        """SELECT e.status, e.trigger, t.status FROM execution e JOIN task t ON t.execution_id = e.id
            WHERE e.vendor_type = 'SCHEDULER' ORDER BY e.id DESC LIMIT 1"""
    )
    assert rows == [["Running", "MANUAL", "Pending"]]
    shown = client.api("GET", "/system/purgeaudit/schedule")[2]["schedule"]
    assert shown["next_scheduled_time"].endswith("T03:00:00.000Z")


def test_redis_that_was_emptied_gets_them_back_when_a_jobservice_starts_and_not_before(
    stack: Stack, client: Client, store: redis.Redis
) -> None:
    before = known(stack)
    store.flushall()
    assert {each["vendor_type"] for each in client.api("GET", "/schedules")[2]} == set(before.values())
    stack["core-a"].end(9)
    stack["core-a"].start()
    assert policies(store) == {}
    restart(stack)
    whole(stack, store)
    assert known(stack) == before


def test_what_redis_has_and_the_database_has_not_goes_at_a_start(stack: Stack, store: redis.Redis) -> None:
    dirty = {"id": "0" * 24, "job_name": "SCHEDULER", "cron_spec": "0 0 4 * * *", "web_hook_url": ""}
    store.zadd(f"{JOBS}:period:policies", {json.dumps(dirty): 7})
    store.hset(f"{JOBS}:job_stats:{dirty['id']}", mapping={"numeric_policy_id": 7, "kind": "Periodic"})
    restart(stack)
    whole(stack, store)


def test_switching_one_off_takes_those_of_its_score_away_too(
    stack: Stack, client: Client, store: redis.Redis
) -> None:
    by_kind = {kind: job_id for job_id, kind in known(stack).items()}
    shared = 1795765472
    for kind in ("PURGE_AUDIT_LOG", "EXECUTION_SWEEP"):
        for raw in store.zrange(f"{JOBS}:period:policies", 0, -1):
            if json.loads(raw)["id"] == by_kind[kind]:
                store.zadd(f"{JOBS}:period:policies", {raw: shared})
        store.hset(f"{JOBS}:job_stats:{by_kind[kind]}", "numeric_policy_id", shared)
    assert put(client, "None") == 200
    assert set(known(stack).values()) == OF_EVERY_HARBOR
    assert policies(store).keys() == {by_kind["SYSTEM_ARTIFACT_CLEANUP"]}
    restart(stack)
    whole(stack, store)


def test_purge_wants_event_types_to_be_switched_off_too(client: Client) -> None:
    assert differences(client, "2.15/purge", recordings.section("2.15/purge")) == []


def test_with_several_jobservices_each_slot_fires_once(
    stack: Stack, client: Client, store: redis.Redis
) -> None:
    second = stack.jobservice("jobservice-2", free_port())
    try:
        second.start()
        assert put(client, "Custom", "*/2 * * * * *") == 200
        slots = [json.loads(raw) for raw in store.zrange(f"{JOBS}:scheduled", 0, -1)]
        assert 100 < len(slots) <= 120
        assert slots[0].keys() == {"name", "id", "t", "args"}
        wait(lambda: len(executions(stack)) >= 4, "it has fired four times")
        seconds = [int(second) for second in executions(stack)]
        assert len(seconds) == len(set(seconds)), seconds
        assert put(client, "None") == 200
        assert store.zcard(f"{JOBS}:scheduled") == 0
        time.sleep(1.5)  # what was under way
        fired = len(executions(stack))
        time.sleep(3)
        assert len(executions(stack)) == fired, "a schedule that is off fires no longer"
    finally:
        second.end(9)
        del stack.programs["jobservice-2"]


def test_a_jobservice_that_is_told_to_end_ends_what_it_has_begun(
    stack: Stack, client: Client, store: redis.Redis
) -> None:
    assert put(client, "Custom", "*/2 * * * * *") == 200
    for core in ("core-a", "core-b"):
        stack[core].end(9)
    in_hand = f"{JOBS}:jobs:SCHEDULER:*:inprogress"
    wait(lambda: bool(list(store.scan_iter(in_hand))), "a slot is taken, and core does not take it")
    process = stack["jobservice"].process
    assert process
    process.terminate()
    time.sleep(1)
    assert process.poll() is None, "it waits"
    for core in ("core-a", "core-b"):
        stack[core].start()
    assert stack["jobservice"].exit_code(60) == 0
    assert not list(store.scan_iter(in_hand))
    stack["jobservice"].start()
    assert put(client, "None") == 200


def test_a_paused_queue_is_not_touched_and_says_for_how_long(client: Client, store: redis.Redis) -> None:
    def shown() -> dict:
        listed = client.api("GET", "/jobservice/queues")[2]
        return next(each for each in listed if each["job_type"] == "GARBAGE_COLLECTION")

    assert client.api("PUT", "/jobservice/queues/GARBAGE_COLLECTION", {"action": "pause"})[0] == 200
    assert store.exists(f"{QUEUE}:paused")
    manual = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    assert client.api("POST", "/system/gc/schedule", manual)[0] == 201
    wait(lambda: shown().get("latency", 0) >= 2, "the job waits")
    assert shown() == {
        "job_type": "GARBAGE_COLLECTION",
        "count": 1,
        "latency": shown()["latency"],
        "paused": True,
    }
    assert client.api("PUT", "/jobservice/queues/GARBAGE_COLLECTION", {"action": "resume"})[0] == 200
    wait(lambda: shown() == {"job_type": "GARBAGE_COLLECTION", "paused": False}, "the job is taken")
    assert client.api("PUT", "/jobservice/queues/GARBAGE_COLLECTION", {"action": "shake"})[0] == 400


def test_schedules_are_paused_with_the_queue_of_their_slots(client: Client) -> None:
    assert client.api("GET", "/schedules/all/paused")[2] == {"paused": False}
    client.api("PUT", "/jobservice/queues/SCHEDULER", {"action": "pause"})
    assert client.api("GET", "/schedules/all/paused")[2] == {"paused": True}
    client.api("PUT", "/jobservice/queues/SCHEDULER", {"action": "resume"})


def test_one_garbage_collection_runs_at_a_time(client: Client, store: redis.Redis) -> None:
    """Whoever holds the lock has to give it back: a killed jobservice does not."""
    assert store.get(f"{QUEUE}:max_concurrency") == b"1"
    store.set(f"{QUEUE}:lock", 1)
    manual = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    assert client.api("POST", "/system/gc/schedule", manual)[0] == 201
    time.sleep(1.5)
    assert store.llen(QUEUE) == 1
    store.set(f"{QUEUE}:lock", 0)
    wait(lambda: store.llen(QUEUE) == 0, "it runs")
    wait(lambda: store.get(f"{QUEUE}:lock") == b"0", "and gives the lock back")
