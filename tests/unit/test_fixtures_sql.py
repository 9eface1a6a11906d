"""Harbor's database as a client of it sees it, with a driver of a few lines."""

import pymysql
import pytest

from fixtures.clients import sql as module
from fixtures.clients.sql import Sql
from fixtures.errors import StoreRefused
from fixtures.model.stores import Database

DATABASE = Database("mysql", 3306, user="harbork8s", password="hush", name="registry_k8s")


class Connection:
    """A connection whose every query has the same `answer`."""

    def __init__(self, answer):
        self.answer, self.asked, self.open = answer, [], True

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def execute(self, query, values):
        self.asked.append((query, values))
        if isinstance(self.answer, Exception):
            raise self.answer

    def fetchall(self):
        return self.answer

    def close(self):
        self.open = False


@pytest.fixture
def connect(monkeypatch):
    """`connect(answer)`: the Sql, its connection, and what the driver was told."""

    def make(answer=()):
        told, connection = {}, Connection(answer)

        def driver(**settings):
            told.update(settings)
            return connection

        monkeypatch.setattr(module.pymysql, "connect", driver)
        return Sql(DATABASE, "198.18.0.1:13306", timeouts_s=(0.2, 30)), connection, told

    return make


def test_it_goes_to_the_given_address_with_harbors_own_credentials(connect):
    _, _, told = connect()
    assert (told["host"], told["port"]) == ("198.18.0.1", 13306)
    assert (told["user"], told["password"], told["database"]) == ("harbork8s", "hush", "registry_k8s")
    assert told["connect_timeout"] == 1, "the driver takes whole seconds, and 0 for none"


def test_rows_and_variables_are_what_the_database_says(connect):
    sql, connection, _ = connect([("wsrep_ready", "ON"), ("wsrep_cluster_size", 3)])
    assert sql.variables("SHOW STATUS") == {"wsrep_ready": "ON", "wsrep_cluster_size": "3"}
    sql.rows("SELECT %s", 7)
    # Without values no % of a query is taken for a place of one.
    assert connection.asked == [("SHOW STATUS", None), ("SELECT %s", (7,))]


def test_it_is_closed_at_the_end_of_its_block(connect):
    sql, connection, _ = connect()
    with sql:
        assert connection.open
    assert not connection.open
    sql.close()


@pytest.mark.parametrize(
    "error, told",
    [
        (pymysql.OperationalError(1045, "Access denied for user 'harbork8s'"), "Access denied"),
        (pymysql.ProgrammingError(1146, "Table 'x' doesn't exist"), "(1146)"),
        (pymysql.err.InterfaceError(), "database registry_k8s at 198.18.0.1:13306"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_what_the_database_refuses_is_told_without_the_password(connect, error, told):
    sql, _, _ = connect(error)
    with pytest.raises(StoreRefused) as refused:
        sql.rows("SELECT 1")
    assert told in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_database_that_nobody_answers_for_is_a_refusal():
    with pytest.raises(StoreRefused, match=r"registry_k8s at 127\.0\.0\.1:1: .*\(2003\)"):
        Sql(DATABASE, "127.0.0.1:1", timeouts_s=(1, 1))
