"""Sessions: where they lie, how long, and what becomes of them without Redis."""

import time

import pytest
import redis

from harbor_verify.clients.harbor import Session
from harbor_verify.clients.http import HttpClient
from harbor_verify.profiles.harbor_2.api import Harbor2
from tests.contract.harbor_2 import recordings
from tests.contract.harbor_2.replay import differences
from tests.contract.harbor_2.stack import REDIS_PASSWORD
from tests.contract.programs import HOST, Program, free_port, wait


@pytest.fixture
def store(stack):
    with redis.Redis(HOST, stack["redis"].port, db=0, password=REDIS_PASSWORD) as store:
        yield store


@pytest.fixture
def core_b(stack):
    """Restarts core-b with other variables; afterwards it is as it was."""
    yield lambda **changed: stack.restart_core("core-b", **changed)
    stack.restart_core("core-b")


def test_the_key_is_the_session_and_lives_an_hour_from_its_last_use(client, store):
    """Recorded in redis-keys.json."""
    session = client.log_in()
    assert 3590 < store.ttl(session) <= 3600
    store.expire(session, 100)
    assert client.knows(session, "core-b") == 200
    assert store.ttl(session) > 3590
    store.expire(session, 100)
    headers = {"Cookie": f"sid={session}", "X-Harbor-No-Session-Renewal": "true"}
    assert client.request("core-a", "GET", "/api/v2.0/users/current", headers)[0] == 200
    assert store.ttl(session) > 3590, "2.12 does not know the header"
    store.delete(session)
    assert client.knows(session, "core-a") == 401


def test_every_request_without_a_session_leaves_a_key(client, store):
    """Recorded in redis-keys.json, observations 'cost' and 'which paths make a session key'."""
    before = store.dbsize()
    for path in ("/api/v2.0/ping", "/v2/", "/service/token", "/api/v2.0/health"):
        client.request("core-a", "GET", path)
    assert store.dbsize() == before + 4


def test_sessions_survive_restart_and_kill_of_a_core(client, stack):
    """Recorded in processes.json."""
    session = client.log_in(to="core-a")
    stack.restart_core("core-a")
    assert [client.knows(session, core) for core in ("core-a", "core-b")] == [200, 200]


def test_without_redis_logins_succeed_and_hold_nothing(client, stack):
    """Recorded in outage-redis.json."""
    stack["redis"].end()
    wrong = differences(client, "redis_faults", recordings.section("redis_faults", "redis down"))
    stack["redis"].start()
    wrong += differences(client, "redis_faults", recordings.section("redis_faults", "redis back"))
    assert client.knows(client.log_in(), "core-b") == 200
    assert not wrong, "\n".join(wrong)


def test_a_frozen_redis_holds_every_request_up(client, stack):
    """Recorded in outage-redis.json, 'redis paused 20 s': ping too; afterwards all is as before."""
    session = client.log_in()
    stack["redis"].freeze()
    try:
        for headers in ({}, {"Cookie": f"sid={session}"}):
            with pytest.raises(TimeoutError):
                client.request("core-a", "GET", "/api/v2.0/ping", headers, timeout_s=1.5)
    finally:
        stack["redis"].thaw()
    assert client.knows(session, "core-a") == 200


def test_with_only_the_other_url_each_core_keeps_its_own_sessions(client, stack, core_b, store):
    """Recorded in redis-url-variants.json, '_REDIS_URL_CORE absent, _REDIS_URL_HARBOR set'."""
    core_b(_REDIS_URL_CORE=None, _REDIS_URL_HARBOR=stack.redis_url(0))
    mine, other = client.log_in(to="core-a"), client.log_in(to="core-b")
    assert not store.exists(other)
    assert [client.knows(mine, core) for core in ("core-a", "core-b")] == [200, 401]
    assert [client.knows(other, core) for core in ("core-a", "core-b")] == [401, 200]


def test_another_database_of_redis_holds_other_sessions(client, stack, core_b):
    """Recorded in redis-url-variants.json, '_REDIS_URL_CORE with another DB'."""
    core_b(_REDIS_URL_CORE=stack.redis_url(3))
    session = client.log_in(to="core-b")
    with redis.Redis(HOST, stack["redis"].port, db=3, password=REDIS_PASSWORD) as other:
        assert other.exists(session)
    assert [client.knows(session, core) for core in ("core-a", "core-b")] == [401, 200]


def test_sessions_lie_where_sentinel_says(client, stack, core_b, store):
    port = free_port()
    configuration = stack.folder / "sentinel.conf"
    configuration.write_text(
        f"bind {HOST}\nport {port}\ndir {stack.folder}\n"
        f"sentinel monitor mymaster {HOST} {stack['redis'].port} 1\n"
        f"sentinel auth-pass mymaster {REDIS_PASSWORD}\n"
    )
    sentinel = Program("sentinel", ["redis-server", configuration, "--sentinel"], port, stack.folder)
    sentinel.start()
    try:
        core_b(_REDIS_URL_CORE=f"redis+sentinel://:{REDIS_PASSWORD}@{HOST}:1,{HOST}:{port}/mymaster/0")
        session = client.log_in(to="core-b")
        assert store.exists(session)
        assert client.knows(session, "core-a") == 200
    finally:
        sentinel.end()


def test_a_core_without_any_url_ends_at_once(stack):
    """Recorded in redis-url-variants.json, '… absent: start'."""
    core = stack.core("core-c", _REDIS_URL_CORE=None)
    core.launch()
    assert core.exit_code() == 1
    assert "failed to initialize cache: cache type  not support" in core.log()


@pytest.mark.parametrize(
    "url, reason",
    [
        ("redis://anonymous:{password}@{address}/0", "redis://anonymous:xxxxx@"),
        ("redis://:wrong@{address}/0", "redis://:xxxxx@"),
        ("{address},100,{password},0", "127.0.0.1:6379"),
    ],
)
def test_a_core_whose_redis_is_not_to_be_used_does_not_open_its_port(stack, url, reason):
    """Recorded in redis-url-variants.json; it gives up after 60 s."""
    given = url.format(password=REDIS_PASSWORD, address=f"{HOST}:{stack['redis'].port}")
    core = stack.core("core-d", _REDIS_URL_CORE=given)
    core.launch()
    try:
        wait(lambda: "failed to ping" in core.log() and reason in core.log(), reason, 5)
        time.sleep(0.5)
        assert core.process.poll() is None
        assert "http server Running" not in core.log()
    finally:
        core.end(9)
        core.log_file.unlink()


def test_a_request_in_flight_brings_back_the_session_that_was_logged_out_elsewhere(client, stack, store):
    """Recorded in 2.15's login.json, 'request in flight on core-a while core-b logs the session out'; 2.12 the same."""
    session, seen = client.log_in(), []

    def log_out():
        ended = client.request("core-b", "GET", "/c/log_out", {"Cookie": f"sid={session}"})
        seen.append((ended[0], store.exists(session), client.knows(session, "core-a")))

    http = HttpClient("core-a", f"http://{HOST}:{stack['core-a'].port}", timeouts_s=(5, 20))
    assert Harbor2(http).request_in_flight(Session("admin", session), log_out)
    assert seen == [(200, 0, 401)]
    assert [client.knows(session, core) for core in ("core-a", "core-b")] == [200, 200]
    assert 3590 < store.ttl(session) <= 3600
    client.request("core-b", "GET", "/c/log_out", {"Cookie": f"sid={session}"})
    assert client.knows(session, "core-a") == 401
