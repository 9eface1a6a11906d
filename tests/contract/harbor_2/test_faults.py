"""What core answers while the database is away, and what its health says of everything."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.contract.harbor_2 import images, recordings
from tests.contract.harbor_2.replay import differences
from tests.contract.programs import wait

_SEEN_S = 13
"""Health is sampled every 10 s."""


def _is(client, status: str, component: str) -> bool:
    """Whether every core says so."""
    found = [client.api("GET", "/health", to=core)[2]["components"] for core in ("core-a", "core-b")]
    return all(
        {"name": component, "status": status}.items() <= entry.items()
        for entries in found
        for entry in entries
        if entry["name"] == component
    )


def test_without_the_database_core_answers_as_recorded(client, stack):
    """Recorded in outage-database.json."""
    images.push(client, "library/busybox", "1")
    client.remember_login()
    client.csrf()
    section = [
        exchange | ({"bearer": _token(client, exchange["bearer"])} if "bearer" in exchange else {})
        for exchange in recordings.section("database_faults")
    ]
    wait(lambda: _is(client, "healthy", "jobservice"), "jobservice is healthy", _SEEN_S)
    stack["postgresql"].end(signal.SIGINT)
    wait(lambda: _is(client, "unhealthy", "database"), "the database is unhealthy", _SEEN_S)
    down = [exchange for exchange in section if exchange["name"].startswith("database down")]
    wrong = differences(client, "database_faults", down)
    _, _, leaked, _ = client.request(
        "core-a",
        "GET",
        "/v2/library/busybox/manifests/1",
        {"Authorization": f"Bearer {next(each['bearer'] for each in down if 'bearer' in each)}"},
    )
    stack["postgresql"].start()
    begun_s = time.monotonic()
    wait(lambda: client.api("GET", "/users/current")[0] == 200, "the API answers", 5)
    assert time.monotonic() - begun_s < 2
    back = [exchange for exchange in section if exchange["name"].startswith("database back")]
    wrong += differences(client, "database_faults", back)
    assert not wrong, "\n".join(wrong)
    assert b"user=harbor database=registry" in leaked
    assert all(stack[core].process.poll() is None for core in ("core-a", "core-b"))


def test_a_frozen_database_is_not_seen_and_holds_up_what_needs_it(client, stack):
    """Recorded in outage-database.json, 'database paused 20 s'."""
    processes = [stack["postgresql"].process.pid, *_children(stack["postgresql"].process.pid)]
    for process in processes:
        _signal(process, signal.SIGSTOP)
    try:
        assert client.request("core-a", "GET", "/api/v2.0/ping")[0] == 200
        assert client.request("core-a", "GET", "/v2/")[0] == 401
        with pytest.raises(TimeoutError):
            client.request("core-a", "GET", "/api/v2.0/projects", timeout_s=1.5)
    finally:
        for process in processes:
            _signal(process, signal.SIGCONT)
    assert client.api("GET", "/projects")[0] == 200


@pytest.mark.parametrize("name", ["registry", "redis"])
def test_health_tells_what_is_away(client, stack, name):
    """Recorded in health-and-ping.json: within 10 s, and back within 10 s; HTTP 200 all the time."""
    stack[name].end()
    wait(lambda: _is(client, "unhealthy", name), f"{name} is unhealthy", _SEEN_S)
    section = recordings.section("health_faults", without="postgres|portal|registryctl")
    wrong = differences(
        client, "health_faults", [each for each in section if f", {name} down" in each["name"]]
    )
    stack[name].start()
    wait(lambda: _is(client, "healthy", name), f"{name} is healthy", _SEEN_S)
    assert not wrong, "\n".join(wrong)


def _token(client, bearer: str) -> str:
    user, *scopes = bearer.split(" ")
    return client.token(*scopes, user=user)


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _signal(process: int, number: int) -> None:

    os.kill(process, number)
