"""Sessions: in Redis as recorded, and what becomes of them when Redis is not there, not well, or not used."""

import socket
import threading
import time

import pytest

from tests.contract.harbor_1 import recordings
from tests.contract.harbor_1.replay import Client, differences
from tests.contract.harbor_1.stack import HOST, REDIS_DATABASE, REDIS_PASSWORD
from tests.contract.programs import wait

redis = pytest.importorskip("redis")


@pytest.fixture
def store(stack):
    """Redis, where the sessions are."""
    with redis.Redis(HOST, stack.redis.port, db=REDIS_DATABASE, password=REDIS_PASSWORD) as store:
        yield store


@pytest.fixture(scope="module", autouse=True)
def dev1(stack):
    for exchange in recordings.section("login", "create user (self registration)"):
        Client(stack).send(exchange)


def test_a_request_without_a_session_makes_a_key_of_the_recorded_bytes(client, store):
    """Recorded in sessions.json, observation 'key of anonymous session'."""
    before = set(store.keys())
    client.request("ui1", "GET", "/api/systeminfo")
    (key,) = set(store.keys()) - before
    assert len(key) == 32
    assert store.get(key).hex() == "0d7f040102ff800001100110000004ff800000"
    assert 3590 < store.ttl(key) <= 3600


def test_a_login_is_a_key_that_the_real_ui_could_read(client, store):
    """Recorded in sessions.json, observation 'key of logged-in session (admin)'; Go's order varies, ours does not."""
    session = client.log_in()
    assert store.get(session).hex() == (
        "0d7f040102ff80000110011000005eff80000306737472696e670c08000675736572496403696e7404020002"
        "06737472696e670c0a0008757365726e616d6506737472696e670c07000561646d696e06737472696e670c0c"
        "000a697353797341646d696e04626f6f6c02020001"
    )


def test_a_session_that_the_real_ui_wrote_is_understood(client, store):
    """Recorded in sessions.json, observation 'key of logged-in session (dev1, user_id 3, not admin)'."""
    recorded = (
        "0d7f040102ff80000110011000005dff80000306737472696e670c0a0008757365726e616d6506737472696e"
        "670c0600046465763106737472696e670c0c000a697353797341646d696e04626f6f6c0202000006737472696e"
        "670c08000675736572496403696e7404020006"
    )
    store.set("0" * 32, bytes.fromhex(recorded))
    assert client.knows("0" * 32, "ui1") == 200


@pytest.mark.parametrize(
    "target, renewed", [("/api/systeminfo", True), ("/no/such", True), ("/favicon.ico", False)]
)
def test_every_request_but_of_static_files_gives_the_session_another_hour(client, store, target, renewed):
    session = client.log_in()
    store.expire(session, 100)
    client.request("ui2", "GET", target, {"Cookie": f"beegosessionID={session}"})
    assert (store.ttl(session) > 100) is renewed


def test_logging_out_deletes_the_key(client, store):
    session = client.log_in()
    client.request("ui2", "GET", "/log_out", {"Cookie": f"beegosessionID={session}"})
    assert store.get(session) is None
    assert client.knows(session, "ui1") == 401


def test_what_is_no_session_in_redis_is_answered_as_recorded(client, store):
    (first,) = recordings.section("sessions", "garbage value")
    (second,) = recordings.section("sessions", "empty value")
    for exchange, value in ((first, b"garbage"), (second, b"")):
        session = "1" * 32
        store.set(session, value)
        sent = {**exchange, "cookie": f"beegosessionID={session}"}
        wrong = differences(client, "sessions", [sent])
        assert not wrong, "\n".join(wrong)


def test_a_request_that_runs_during_the_log_out_brings_the_session_back(client):
    login, log_out, gone, slow, after = recordings.section("sessions", "race:")
    client.send(login)
    running = threading.Thread(target=client.send, args=(slow,))
    running.start()
    time.sleep(0.4)
    wrong = differences(client, "sessions", [log_out, gone])
    running.join()
    wrong += differences(client, "sessions", [after])
    assert not wrong, "\n".join(wrong)


def test_without_redis_logins_succeed_and_hold_nothing(client, stack):
    wrong = differences(client, "sessions", recordings.section("sessions", "redis fault:"))
    stack.redis.end()
    wrong += differences(client, "sessions", recordings.section("sessions", "redis down:"))
    assert stack.ui1.process.poll() is None
    (stack.folder / "redis" / "appendonlydir").rename(stack.folder / "redis" / "lost")
    stack.redis.start()
    wrong += differences(client, "sessions", recordings.section("sessions", "redis back:"))
    assert not wrong, "\n".join(wrong)


def test_each_stale_connection_spoils_one_request(client, stack, store):
    """Recorded in sessions.json, observation 'redis with AOF restarted: …': the data is there, the answer 401."""
    session = client.log_in()
    for replica in ("ui1", "ui2"):
        assert client.knows(session, replica) == 200
    store.close()
    stack.redis.end()
    stack.redis.start()
    for replica in ("ui2", "ui1"):
        statuses = [client.knows(session, replica) for _ in range(12)]
        assert statuses[0] == 401
        assert statuses[-6:] == [200] * 6


def test_a_frozen_redis_hangs_every_request_but_for_static_files(client, stack):
    session = client.log_in()
    stack.redis.freeze()
    try:
        for headers in ({}, {"Cookie": f"beegosessionID={session}"}):
            with pytest.raises(TimeoutError):
                client.request("ui1", "GET", "/api/systeminfo", headers, timeout_s=2)
        assert client.request("ui1", "GET", "/favicon.ico", timeout_s=2)[0] == 200
    finally:
        stack.redis.thaw()
    assert client.knows(session, "ui1") == 200


def test_a_ui_started_with_a_frozen_redis_does_not_open_its_port(stack):
    stack.redis.freeze()
    starting = stack.ui("ui7")
    try:
        starting.launch()
        done = "Sync repositories from registry to DB is done."
        wait(lambda: done in starting.log(), "the ui has done all that it does before it asks Redis")
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, starting.port))
        assert starting.process.poll() is None
    finally:
        stack.redis.thaw()
    starting.wait_open(5)
    starting.end()


def test_without_a_setting_each_replica_keeps_its_own_sessions(stack):
    """Recorded in sessions.json: 'no _REDIS_URL: …'."""
    for replica in ("ui1", "ui2"):
        stack.programs[replica].end()
        stack.ui(replica, port=stack.programs[replica].port, _REDIS_URL=None).start()
    client = Client(stack)
    *before, after = recordings.section("sessions", "no _REDIS_URL:")
    wrong = differences(client, "sessions", before)
    stack.ui1.end()
    stack.ui1.start()
    wrong += differences(client, "sessions", [after])
    assert not wrong, "\n".join(wrong)


def test_without_a_database_number_sessions_lie_in_database_0(stack, client):
    """Recorded in sessions.json, observation 'db number missing: key lies in db'."""
    setting = f"{HOST}:{stack.redis.port},100,{REDIS_PASSWORD}"
    other = stack.ui("ui7", _REDIS_URL=setting)
    other.start()
    try:
        session = client.log_in(to="ui7")
        with redis.Redis(HOST, stack.redis.port, db=0, password=REDIS_PASSWORD) as store:
            assert store.exists(session)
    finally:
        other.end()
