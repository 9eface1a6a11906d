"""PostgreSQL fails over without losing what was acknowledged, and comes back with its rows whatever was killed."""

import os
import signal
import time
from pathlib import Path

import pytest

from lab import settings
from lab.errors import CommandFailed
from lab.machines.topology import OUTSIDE
from lab.stores import load_balancer, postgresql
from lab.waiting import NotYet, wait_until

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.matrix]


@pytest.fixture(autouse=True)
def whole():
    """Everything is there before each test, and after the last."""
    ensure_all()
    sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept (id int)")
    yield
    ensure_all()
    sql("DROP TABLE IF EXISTS kept")


def ensure_all() -> None:
    postgresql.ensure()
    load_balancer.ensure()


def sql(statements: str, database: str = postgresql.DATABASE) -> str:
    """Run SQL as Harbor does: through the load balancer, with Harbor's own credentials."""
    where = f"host={settings.LOAD_BALANCER} user={postgresql.USER} password={postgresql.PASSWORD} dbname={database}"
    return OUTSIDE.run(
        "timeout", "5", "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
        f"--dbname={where} connect_timeout=2",
        input=statements,
    )  # fmt: skip


def test_harbors_user_may_do_what_it_likes_in_its_database_and_come_into_no_other():
    sql("INSERT INTO kept VALUES (1); CREATE SCHEMA rights; DROP SCHEMA rights")
    with pytest.raises(CommandFailed, match=r"no pg_hba\.conf entry"):
        sql("SELECT 1", database="postgres")


def test_a_primary_that_is_lost_is_replaced_with_all_that_was_acknowledged_and_comes_back_as_standby():
    lost = postgresql.primary()
    acknowledged = [str(number) for number in range(20)]
    for number in acknowledged:
        sql(f"INSERT INTO kept VALUES ({number})")
    killed_at = time.monotonic()

    postgresql.end(lost)
    wait_until("it can be written to again", lambda: sql("INSERT INTO kept VALUES (20)"), deadline_s=40)

    assert time.monotonic() - killed_at < 20, "seconds without a database"
    assert sql("SELECT id FROM kept ORDER BY id").split() == [*acknowledged, "20"]
    assert postgresql.primary() != lost
    postgresql.ensure()
    assert postgresql.status(lost)["role"] == "replica"


def test_a_primary_without_its_standby_can_be_written_to():
    (standby,) = postgresql.NODES.keys() - {postgresql.primary()}
    postgresql.end(standby)
    wait_until("it can be written to", lambda: sql("INSERT INTO kept VALUES (1)"), deadline_s=20)
    assert "1" in sql("SELECT id FROM kept").split()


def test_all_that_was_written_is_there_again_after_everything_was_killed():
    sql("INSERT INTO kept VALUES (7)")
    for name in postgresql.NODES:
        postgresql.end(name)
    os.kill(postgresql.STORE.pid(), signal.SIGKILL)

    ensure_all()

    assert sql("SELECT id FROM kept").split() == ["7"]


@pytest.mark.parametrize("which", ["primary", "standby"])
def test_a_node_whose_files_are_broken_is_given_everything_anew(which):
    sql("INSERT INTO kept VALUES (7)")
    primary = postgresql.primary()
    (standby,) = postgresql.NODES.keys() - {primary}
    broken = {"primary": primary, "standby": standby}[which]
    postgresql.end(broken)
    _break(postgresql.FOLDER / broken / "data")

    ensure_all()

    assert sql("SELECT id FROM kept").split() == ["7"]
    assert postgresql.status(broken)["role"] == "replica"


def _break(data: Path) -> None:
    for file in (data / "base").rglob("*"):
        if file.is_file():
            file.write_bytes(b"not rows")


def test_a_primary_that_hangs_is_replaced_and_no_longer_led_to():
    hangs = postgresql.primary()
    for pid in postgresql.processes(hangs):
        os.kill(pid, signal.SIGSTOP)

    def led_elsewhere() -> None:
        if load_balancer.servers()["postgresql", hangs] == "UP":
            raise NotYet(f"HAProxy leads to {hangs}")
        sql("INSERT INTO kept VALUES (1)")

    wait_until("the other is written to", led_elsewhere, deadline_s=40)
