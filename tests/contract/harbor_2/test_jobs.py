"""Garbage collection, jobservice and registryctl."""

import json
import time

import pytest
import redis

from tests.contract.harbor_2 import images, recordings
from tests.contract.harbor_2.exchanges import credentials
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import CORE_SECRET, JOBSERVICE_SECRET, Stack
from tests.contract.programs import HOST, free_port, wait

MANUAL = {"schedule": {"type": "Manual"}, "parameters": {"delete_untagged": True, "workers": 1}}
RUNS = ("gc run now, on core-a", "gc run now, again at once on core-b")
POOL = "workers of a pool"


def run(client: Client, to: str = "core-a", **parameters: object) -> int:
    """Start a garbage collection; its id."""
    asked = MANUAL | {"parameters": {**MANUAL["parameters"], **parameters}}
    status, headers, answer = client.api("POST", "/system/gc/schedule", asked, to=to)
    assert status == 201, answer
    return int(dict(headers)["Location"].rpartition("/")[2])


def ended(stack: Stack, execution: int) -> None:
    def is_over() -> bool:
        sql = f"SELECT status FROM task WHERE execution_id = {execution}"
        return stack.sql(sql) in ([["Success"]], [["Error"]])

    wait(is_over, f"garbage collection {execution} ends")


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    client = Client(stack)
    images.push(client, "library/busybox", "1")
    stack["core-a"].end(9)
    stack.core("core-a", stack["core-a"].port, EXECUTION_STATUS_REFRESH_INTERVAL_SECONDS="1").start()
    stack["core-b"].end(9)
    stack.core("core-b", stack["core-b"].port, EXECUTION_STATUS_REFRESH_INTERVAL_SECONDS="1").start()


def test_answers_are_as_recorded(stack: Stack, client: Client) -> None:
    image = images.push(client, "library/gone", "1")
    client.api("DELETE", f"/projects/library/repositories/gone/artifacts/{image.digest}")
    recorded = recordings.section("gc")
    after = 1 + max(number for number, each in enumerate(recorded) if each["name"] in RUNS)
    assert differences(client, "gc", recorded[:after]) == []
    for execution in (3, 4):
        ended(stack, execution)
    wait(
        lambda: client.api("GET", "/system/gc/4")[2]["job_status"] == "Success",
        "the status is brought up to date",
    )
    pool = client.api("GET", "/jobservice/pools")[2][0]["worker_pool_id"]
    rest = [
        each | {"request": f"GET /api/v2.0/jobservice/pools/{pool}/workers"} if each["name"] == POOL else each
        for each in recorded[after:]
        if not each["name"].startswith("gc log")
    ]
    assert differences(client, "gc", rest) == []


def test_status_is_brought_up_to_date_late_and_log_is_there_at_once(stack: Stack, client: Client) -> None:
    execution = run(client, to="core-b", dry_run=True)
    ended(stack, execution)
    status, fields, text, _ = client.request(
        "core-a", "GET", f"/api/v2.0/system/gc/{execution}/log", {"Authorization": credentials("admin")}
    )
    assert (status, dict(fields)["Content-Type"]) == (200, "text/plain")
    lines = [line.partition("]: ")[2] for line in text.decode().splitlines()]
    assert lines == [
        "Garbage Collection parameters: [delete_untagged: true, dry_run: true, time_window: 2, workers: 1]",
        "start to run gc in job.",
        "start to delete untagged artifact (no actually deletion for dry-run mode)",
        "end to delete untagged artifact (no actually deletion for dry-run mode)",
        "no removed artifacts.",
        "no need to execute GC as there is no non referenced artifacts.",
        "success to run gc in job.",
    ]


def test_blob_goes_when_it_is_older_than_two_hours_and_nothing_needs_it(stack: Stack, client: Client) -> None:
    kept, gone = (images.push(client, f"library/{name}", "1") for name in ("kept", "goes"))
    assert client.api("DELETE", "/projects/library/repositories/goes/artifacts/1")[0] == 200
    ended(stack, run(client))
    assert images.blob_status(client, "library/goes", gone.layer) == 200, "it is young"

    stack.sql("UPDATE blob SET update_time = update_time - interval '3 hours'")
    execution = run(client)
    ended(stack, execution)

    assert images.blob_status(client, "library/goes", gone.layer) == 404
    assert images.blob_status(client, "library/kept", kept.layer) == 200
    assert images.pull(client, "library/kept", "1") == 200
    parameters = json.loads(client.api("GET", f"/system/gc/{execution}")[2]["job_parameters"])
    assert parameters["purged_manifests"] >= 1
    assert parameters["freed_space"] >= gone.size
    digest = gone.digest.removeprefix("sha256:")
    assert not list((stack.folder / "storage").rglob(digest)), "the manifest's blob and link are gone"


def test_job_of_a_dead_replica_is_run_by_another(stack: Stack, client: Client) -> None:
    """It is found in the list of what that replica had taken, and its log can be had from every replica."""
    job, namespace = "0123456789abcdef01234567", "{harbor_job_service_namespace}"
    store = redis.Redis.from_url(stack.redis_url(2).partition("?")[0])
    store.sadd(f"{namespace}:worker_pools", "dead")
    store.hset(f"{namespace}:worker_pools:dead", mapping={"heartbeat_at": int(time.time()) - 60})
    fields = {"name": "GARBAGE_COLLECTION", "status": "Running", "parameters": json.dumps({"dry_run": True})}
    store.hset(f"{namespace}:job_stats:{job}", mapping=fields)
    taken = json.dumps({"name": "GARBAGE_COLLECTION", "id": job, "t": int(time.time()) - 60, "args": None})
    store.lpush(f"{namespace}:jobs:GARBAGE_COLLECTION:dead:inprogress", taken)
    store.set(f"{namespace}:jobs:GARBAGE_COLLECTION:lock", 1)
    store.hset(f"{namespace}:jobs:GARBAGE_COLLECTION:lock_info", "dead", 1)
    stack["jobservice"].end(9)
    second = stack.jobservice("jobservice-2", free_port())
    try:
        second.start()
        wait(lambda: store.hget(f"{namespace}:job_stats:{job}", "status") == b"Success", "the job is run")
        stack["jobservice"].start()
        headers = {"Authorization": f"Harbor-Secret {CORE_SECRET}"}
        for program in ("jobservice-2", "jobservice"):
            assert client.request(program, "GET", f"/api/v1/jobs/{job}/log", headers)[0] == 200, program
    finally:
        second.end(9)
        del stack.programs["jobservice-2"]


def test_jobservice_wants_the_secret_of_core(client: Client) -> None:
    answers = {
        header: client.request(
            "jobservice", "GET", "/api/v1/jobs", {"Authorization": header} if header else {}
        )
        for header in ("", "Harbor-Secret bad", f"Harbor-Secret {CORE_SECRET}")
    }
    assert [answer[0] for answer in answers.values()] == [401, 401, 200]
    assert json.loads(answers[""][2]) == {
        "code": 10011,
        "message": "unauthorized",
        "details": "header 'Authorization' missing",
    }


def test_jobservice_ends_at_once_without_core_or_with_a_wrong_secret(stack: Stack) -> None:
    unknown = stack.jobservice("jobservice-3", free_port(), JOBSERVICE_SECRET="another")
    alone = stack.jobservice("jobservice-4", free_port(), CORE_URL=f"http://{HOST}:{free_port()}")
    for program in (unknown, alone):
        program.launch()
        assert program.exit_code() == 2
        assert "panic: failed to load configuration, error: failed to load rest config" in program.log()
        del stack.programs[program.name]


def test_jobservice_keeps_logs_in_the_database_where_no_file_logger_is_named(
    stack: Stack, client: Client
) -> None:
    program = stack.jobservice("jobservice-5", free_port())
    configuration = stack.folder / "jobservice-5.yml"
    configuration.write_text(configuration.read_text().replace("- name: FILE", "- name: DB"))
    stack["jobservice"].end(9)
    try:
        program.start()
        body = json.dumps({"job": {"name": "GARBAGE_COLLECTION", "parameters": {"dry_run": True}}})
        headers = {"Authorization": f"Harbor-Secret {CORE_SECRET}"}
        status, _, answer, _ = client.request("jobservice-5", "POST", "/api/v1/jobs", headers, body)
        assert status == 202
        path = f"/api/v1/jobs/{json.loads(answer)['id']}"

        def is_over() -> bool:
            _, _, state, _ = client.request("jobservice-5", "GET", path, headers)
            return json.loads(state)["job"]["status"] == "Success"

        wait(is_over, "the job ends")
        assert b"success to run gc" in client.request("jobservice-5", "GET", f"{path}/log", headers)[2]
    finally:
        program.end(9)
        del stack.programs["jobservice-5"]
        stack["jobservice"].start()


def test_registryctl_deletes_for_jobservice_only(stack: Stack, client: Client) -> None:
    image = images.push(client, "library/deleted", "1")
    path = f"/api/registry/blob/{image.layer}"
    secret = {"Authorization": f"Harbor-Secret {JOBSERVICE_SECRET}"}
    assert client.request("registryctl", "GET", "/api/health")[2] == b'"healthy"'
    assert client.request("registryctl", "DELETE", path)[:3][0::2] == (401, b"Unauthorized\n")
    assert client.request("registryctl", "DELETE", path, secret)[0] == 200
    assert client.request("registryctl", "DELETE", path, secret)[0] == 404
    assert client.request("registryctl", "DELETE", "/api/registry/blob/..", secret)[0] == 400


def test_answers_are_as_recorded_while_jobservice_is_down(stack: Stack, client: Client) -> None:
    stack["jobservice"].end(9)
    try:
        before = client.api("GET", "/system/gc")[2]
        recorded = recordings.section("registry_jobservice_faults", "jobservice down")
        assert differences(client, "registry_jobservice_faults", recorded) == []
        assert client.api("GET", "/system/gc")[2] == before, "what was not taken on leaves no trace"
    finally:
        stack["jobservice"].start()


def test_refusal_of_jobservice_is_told_to_the_administrator(stack: Stack, client: Client) -> None:
    core = stack.core("core-c", free_port(), CORE_SECRET="another")
    try:
        core.start()
        status, _, answer = client.api("POST", "/system/gc/schedule", MANUAL, to="core-c")
        assert status == 401
        assert answer["errors"][0]["message"] == (
            '{"code":10011,"message":"unauthorized","details":"unauthorized"}'
        )
    finally:
        core.end(9)
        del stack.programs["core-c"]
