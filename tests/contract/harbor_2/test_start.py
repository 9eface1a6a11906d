"""How core starts and ends: what it waits for, what it says, how long it takes."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.contract.harbor_2.replay import Client
from tests.contract.harbor_2.stack import DATABASE_USER
from tests.contract.programs import Program, free_port

_WAIT_S = 60


@pytest.fixture(scope="module", autouse=True)
def waiting(stack) -> tuple[float, list[Program]]:
    """Cores that lack something, begun before the others so that their minute passes meanwhile."""
    cores = [
        stack.core("without-database", POSTGRESQL_PORT="1"),
        stack.core("without-redis", _REDIS_URL_CORE="redis://127.0.0.1:1/0"),
    ]
    begun_s = time.monotonic()
    for core in cores:
        core.launch()
    return begun_s, cores


def test_two_cores_on_an_empty_database_start_at_once(stack):
    """Recorded in processes.json."""
    stack.sql(f"CREATE DATABASE empty OWNER {DATABASE_USER}", "postgres")
    cores = [stack.core(f"first-{number}", POSTGRESQL_DATABASE="empty") for number in range(3)]
    for core in cores:
        core.launch()
    for core in cores:
        core.wait_open(10)
    logs = [core.log() for core in cores]
    assert sum("150/u 2.12.0_schema" in log for log in logs) == 1
    assert sum("No change in schema, skip." in log for log in logs) == 2
    assert sum("updated its encrypted password" in log for log in logs) == 1
    assert stack.sql("SELECT version, dirty FROM schema_migrations", "empty") == [["150", "f"]]
    assert Client(stack).api("GET", "/users/current", to="first-2")[0] == 200
    for core in cores:
        core.end(signal.SIGKILL)


def test_a_migration_that_was_broken_off_keeps_core_from_starting(stack):
    stack.sql("CREATE DATABASE dirty", "postgres")
    stack.sql(
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);"
        f"INSERT INTO schema_migrations VALUES (150, true); GRANT ALL ON schema_migrations TO {DATABASE_USER};"
        f"ALTER DATABASE dirty OWNER TO {DATABASE_USER}; ALTER TABLE schema_migrations OWNER TO {DATABASE_USER};",
        "dirty",
    )
    core = stack.core("dirty", POSTGRESQL_DATABASE="dirty")
    core.launch()
    assert core.exit_code() == 1
    assert "Dirty database version 150" in core.log()


def test_sigterm_ends_core_after_3_s_in_which_it_goes_on_answering(stack):
    """Recorded in processes.json."""
    core = stack.core("ended")
    core.start()
    begun_s = time.monotonic()
    core.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert Client(stack).request("ended", "GET", "/api/v2.0/ping")[0] == 200
    assert core.exit_code() == 0
    assert 2.5 < time.monotonic() - begun_s < 4


def test_memory_and_start_stay_small_and_the_version_tells_what_it_is(stack):
    core = stack.core("measured", port=free_port())
    core.start()
    status = Path(f"/proc/{core.process.pid}/status").read_text()
    *_, user, system = Path(f"/proc/{core.process.pid}/stat").read_text().rpartition(")")[2].split()[:13]
    answer = Client(stack).api("GET", "/systeminfo", to="measured")[2]
    core.end(signal.SIGKILL)
    assert answer["harbor_version"] == "v2.12.4-stand-in"
    assert int(status.partition("VmRSS:")[2].split()[0]) < 60_000
    # Of a processor: how long it waits for one is the machine's business.
    assert (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") < 1.5


def test_without_database_or_redis_core_gives_up_after_a_minute(waiting):
    """Recorded in processes.json and redis-url-variants.json."""
    begun_s, (without_database, without_redis) = waiting
    for core, reason in (
        (without_database, "failed to initialize database: failed to connect to tcp:"),
        (without_redis, "failed to initialize cache: retry timeout"),
    ):
        assert core.exit_code(max(1, begun_s + _WAIT_S + 8 - time.monotonic())) == 1
        assert time.monotonic() - begun_s > _WAIT_S - 3
        assert f"[FATAL] {reason}" in core.log()
    assert without_database.log().count("retry after 2 seconds") in range(28, 33)
