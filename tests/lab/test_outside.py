"""What Harbor stands on outside Kubernetes plays its part, and comes back with its data whatever was killed."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from lab import profiles, settings
from lab.command import run
from lab.errors import CommandFailed, LabError
from lab.machines import cgroups, docker_daemon
from lab.machines.daemons import Daemon
from lab.machines.topology import CLIENT, OUTSIDE
from lab.stores import ceph, galera, load_balancer, redis_sentinel
from lab.waiting import NotYet, wait_until

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.matrix]


@pytest.fixture(autouse=True)
def whole():
    """Everything is there before each test, and after the last."""
    ensure_all()
    yield
    ensure_all()


def ensure_all() -> None:
    for part in (ceph, galera, redis_sentinel, load_balancer, docker_daemon):
        part.ensure()


def sql(statement: str) -> str:
    """Run SQL as Harbor does: through the load balancer, with Harbor's own credentials."""
    return OUTSIDE.run(
        "timeout", "3", "mariadb", "--no-defaults", f"--host={settings.LOAD_BALANCER}", f"--user={galera.USER}",
        f"--password={galera.PASSWORD}", "--batch", "--skip-column-names", galera.DATABASE,
        input=statement,
    )  # fmt: skip


def redis(*words: str) -> str:
    """Send a command as Harbor does: through the load balancer, to the sessions' database."""
    return redis_sentinel.redis_cli(settings.LOAD_BALANCER, redis_sentinel.PORT, "-n", "11", *words).strip()


def run_id(address: str) -> str:
    """Which Redis process answers there; CommandFailed when none does."""
    server = redis_sentinel.redis_cli(address, redis_sentinel.PORT, "INFO", "server")
    return next(line for line in server.splitlines() if line.startswith("run_id:"))


def kill(daemon: Daemon) -> None:
    os.kill(daemon.pid(), signal.SIGKILL)
    wait_until(f"{daemon.name} has ended", lambda: gone(daemon), deadline_s=10, interval_s=0.02)


def gone(daemon: Daemon) -> None:
    if daemon.pid() is not None:
        raise NotYet("it still runs")


def test_the_database_has_harbors_schema_and_its_first_users_by_their_numbers():
    assert sql("SELECT version_num FROM alembic_version").split() == ["1.2.0"]
    assert sql("SELECT user_id, username FROM user ORDER BY user_id LIMIT 2").split() == [
        "1", "admin", "2", "anonymous",
    ]  # fmt: skip


def test_harbors_database_user_has_all_rights_on_its_database_and_none_elsewhere():
    sql("CREATE TABLE rights (id INT); INSERT INTO rights VALUES (1); DROP TABLE rights")
    with pytest.raises(CommandFailed, match="denied"):
        sql("SELECT user FROM mysql.user")


def test_what_is_written_through_the_load_balancer_is_on_every_galera_node():
    sql("CREATE OR REPLACE TABLE everywhere (id INT); INSERT INTO everywhere VALUES (7)")
    question = f"SET SESSION wsrep_sync_wait = 1; SELECT id FROM {galera.DATABASE}.everywhere"
    found = {name: galera.sql(name, question).split() for name in galera.NODES}
    sql("DROP TABLE everywhere")
    assert found == {name: ["7"] for name in galera.NODES}


def node_in_use() -> str:
    return sql("SELECT @@wsrep_node_name").strip()


def test_all_clients_use_one_galera_node_also_when_another_comes_back():
    first = node_in_use()
    assert {node_in_use() for _ in range(10)} == {first}

    kill(galera.NODES[first])
    second = wait_until("another node is in use", node_in_use, deadline_s=10, interval_s=0.1)
    assert second != first

    galera.ensure()
    load_balancer.ensure()
    assert {node_in_use() for _ in range(10)} == {second}


def test_a_galera_node_that_is_not_synced_gets_no_clients_though_it_accepts_connections():
    first = node_in_use()

    def another() -> None:
        if node_in_use() == first:
            raise NotYet(f"{first} is still in use")

    galera.sql(first, "SET GLOBAL wsrep_desync = ON")
    try:
        wait_until("another node is in use", another, deadline_s=10, interval_s=0.1)
        assert load_balancer.servers()["database", first] == "DOWN"
    finally:
        galera.sql(first, "SET GLOBAL wsrep_desync = OFF")


def make_primary(name: str) -> None:
    """Have the Sentinels make this Redis the primary."""
    redis_sentinel.make_primary(name)

    def settled() -> None:
        seen = load_balancer.servers()
        if any(seen[other, other] != "DOWN" for other in redis_sentinel.DATA_NODES if other != name):
            raise NotYet("the load balancer has not yet seen the other step down")

    wait_until(f"{name} is primary", settled, deadline_s=60, interval_s=0.2)
    wait_led_to(name, deadline_s=10)


def wait_led_to(name: str, *, deadline_s: float) -> None:
    def led() -> None:
        if run_id(settings.LOAD_BALANCER) != run_id(settings.REDIS[name]):
            raise NotYet("led to the other Redis")

    wait_until(f"the load balancer leads to {name}", led, deadline_s=deadline_s, interval_s=0.1)


PRIMARIES = [redis_sentinel.DATA_NODES[0], redis_sentinel.DATA_NODES[-1]]


@pytest.mark.parametrize("primary", PRIMARIES)
def test_sessions_outlive_the_primary_redis_and_its_return_as_a_false_primary(primary):
    """An old primary that comes back calls itself primary until the Sentinels correct it: nobody may be led there."""
    make_primary(primary)
    redis("SET", "kept", "yes")
    kill(redis_sentinel.SERVERS[primary])

    def replaced() -> str:
        if (now := redis_sentinel.in_use()) == primary:
            raise NotYet(f"{primary} is primary")
        return now

    other = wait_until(f"another takes over from {primary}", replaced, deadline_s=30, interval_s=0.1)
    wait_led_to(other, deadline_s=30)
    redis_sentinel.SERVERS[primary].start()

    claims = 0

    def corrected() -> None:
        nonlocal claims
        assert run_id(settings.LOAD_BALANCER) == run_id(settings.REDIS[other])
        if redis_sentinel.replication(primary)["role"] == "master":
            claims += 1
            raise NotYet(f"{primary} calls itself primary")

    wait_until(f"{primary} follows {other}", corrected, deadline_s=60, interval_s=0.2)
    assert claims > 5, "the old primary was corrected before it could mislead anyone: nothing was proven"
    assert redis("GET", "kept") == "yes"


@pytest.mark.parametrize("primary", PRIMARIES)
def test_without_sentinels_the_primary_redis_goes_on_serving_and_no_replica_does(primary):
    make_primary(primary)
    for sentinel in redis_sentinel.SENTINELS.values():
        kill(sentinel)

    def noticed() -> None:
        states = load_balancer.servers()
        up = [
            sentinel
            for (_, sentinel), state in states.items()
            if sentinel in redis_sentinel.SENTINELS and state == "UP"
        ]
        if up:
            raise NotYet(f"{', '.join(up)} are taken for alive")

    wait_until("the load balancer knows that no Sentinel is there", noticed, deadline_s=10, interval_s=0.1)
    assert {run_id(settings.LOAD_BALANCER) for _ in range(10)} == {run_id(settings.REDIS[primary])}
    for other in redis_sentinel.DATA_NODES:
        assert (load_balancer.servers()[other, other] == "DOWN") is (other != primary)


def folders_in_ceph() -> list[str]:
    """The folders of the file system, seen by mounting it as the kubelet does."""
    place = "/run/seen-by-a-test"
    mount = Daemon("test-mount", OUTSIDE, ("ceph-fuse", "-f", "--conf", ceph.FOLDER / "ceph.conf", place))
    OUTSIDE.run("mkdir", "-p", place)
    mount.ensure(lambda: OUTSIDE.run("mountpoint", "--quiet", place))
    try:
        return OUTSIDE.run("find", place, "-type", "d", "-printf", "%P\n").split()
    finally:
        OUTSIDE.run("umount", place)
        mount.stop()


def test_the_file_system_has_the_folders_that_the_volumes_name():
    assert set(ceph.VOLUMES) <= set(folders_in_ceph())


def test_the_docker_daemon_is_the_labs_own_and_takes_harbor_without_tls():
    about = json.loads(run(["docker", f"--host={docker_daemon.HOST}", "info", "--format={{json .}}"]))
    assert about["Name"] == CLIENT.name
    plain = {profile.url.removeprefix("http://") for profile in profiles.ALL.values()}
    known = about["RegistryConfig"]["IndexConfigs"].values()
    assert {each["Name"] for each in known if not each["Secure"]} >= plain
    assert docker_daemon.DAEMON.pid() in cgroups.processes(CLIENT.name)


EVERY_DAEMON: dict[str, tuple[Daemon, Callable[[], None], Callable[[], str]]] = {
    daemon.name: (daemon, part.ensure, part.healthy)
    for part, daemons in (
        (ceph, ceph.ALL),
        (galera, galera.NODES.values()),
        (redis_sentinel, [*redis_sentinel.SERVERS.values(), *redis_sentinel.SENTINELS.values()]),
        (load_balancer, [load_balancer.DAEMON]),
        (docker_daemon, [docker_daemon.DAEMON]),
    )
    for daemon in daemons
}


def process_numbers() -> dict[str, int | None]:
    return {name: daemon.pid() for name, (daemon, _, _) in EVERY_DAEMON.items()}


def test_ensuring_what_is_there_restarts_nothing():
    before = process_numbers()
    ensure_all()
    assert process_numbers() == before
    assert None not in before.values()


@pytest.mark.parametrize("name", EVERY_DAEMON)
def test_a_killed_daemon_is_seen_and_mended_and_no_other_is_restarted(name):
    daemon, ensure, healthy = EVERY_DAEMON[name]
    before = process_numbers()
    kill(daemon)
    with pytest.raises((LabError, OSError)):
        healthy()

    ensure()

    assert healthy()
    assert {other for other, pid in process_numbers().items() if pid != before[other]} == {name}


def test_everything_killed_at_once_comes_back_with_its_data():
    sql("CREATE OR REPLACE TABLE kept (id INT); INSERT INTO kept VALUES (7)")
    redis("SET", "kept", "yes")
    before = folders_in_ceph()
    for daemon, _, _ in EVERY_DAEMON.values():
        os.kill(daemon.pid(), signal.SIGKILL)

    ensure_all()

    assert sql("SELECT id FROM kept; DROP TABLE kept").split() == ["7"]
    assert redis("GET", "kept") == "yes"
    assert folders_in_ceph() == before
