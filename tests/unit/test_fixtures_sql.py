"""Harbor's MySQL as a client of it sees it, with a driver of a few lines."""

from dataclasses import replace

import pymysql
import pytest

from harbor_verify.clients import mysql as module
from harbor_verify.clients.databases import open_sql
from harbor_verify.clients.mysql import MySql
from harbor_verify.errors import StoreRefused, WrongConfiguration
from harbor_verify.model.stores import Database

DATABASE = Database("mysql", "mysql", 3306, user="harbork8s", password="hush", name="registry_k8s")


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
        return open_sql(DATABASE, "198.18.0.1:13306", timeouts_s=(0.2, 30)), connection, told

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


def test_tables_and_rows_are_asked_for_as_mysql_names_them(connect):
    sql, connection, _ = connect([("User",), ("project",)])
    assert sql.tables() == {"user", "project"}
    assert sql.has_row("user", "user_id = 1")
    assert connection.asked[1] == ("SELECT 1 FROM `user` WHERE user_id = 1 LIMIT 1", None)
    assert not connect([])[0].has_row("user", "user_id = 1")


USAGE = "GRANT USAGE ON *.* TO `harbork8s`@`%` IDENTIFIED BY PASSWORD '*B69027D44F6E'"
WHOLE = "GRANT ALL PRIVILEGES ON `registry\\_k8s`.* TO `harbork8s`@`%`"
READ_ONLY = "GRANT SELECT ON `registry_k8s`.* TO `harbork8s`@`%`"


def test_what_an_account_may_not_do_is_told_without_the_hash_of_its_password(connect):
    assert connect([(USAGE,), (WHOLE,)])[0].missing_rights() == []
    *missing, shown = connect([(USAGE,), (READ_ONLY,)])[0].missing_rights()
    assert missing == ["INSERT", "UPDATE", "DELETE"]
    assert shown.startswith("(GRANT USAGE")
    assert "B69027" not in shown


def test_an_account_of_which_nothing_is_told_may_do_nothing(connect):
    assert connect([])[0].missing_rights()[:4] == ["SELECT", "INSERT", "UPDATE", "DELETE"]


def test_a_database_of_a_kind_that_nobody_knows_is_refused():
    with pytest.raises(WrongConfiguration, match="kind oracle is none of mysql, postgresql"):
        open_sql(replace(DATABASE, kind="oracle"), "127.0.0.1:1", timeouts_s=(1, 1))


def test_it_is_closed_at_the_end_of_its_block(connect):
    sql, connection, _ = connect()
    with sql:
        assert connection.open
    assert not connection.open
    sql.close()


GALERA = {"wsrep_provider": "/usr/lib/galera/libgalera_smm.so", "wsrep_on": "ON"}
DENIED = pymysql.OperationalError(1142, "SELECT command denied to user 'harbork8s'")


@pytest.mark.parametrize(
    "answers, survives, told",
    [
        ({"VARIABLES": GALERA, "STATUS": {"wsrep_cluster_size": "3"}}, True, "wsrep_cluster_size: 3"),
        (
            {"VARIABLES": GALERA, "STATUS": {"wsrep_cluster_size": "2"}},
            False,
            "2; when one is lost, fewer than 3",
        ),
        ({"VARIABLES": GALERA, "STATUS": {}}, False, "wsrep_cluster_size: 0"),
        ({"Slaves": {"Slaves_connected": "1"}}, True, "Slaves_connected is 1"),
        ({"Slaves": {"Slaves_connected": "0"}}, False, "Slaves_connected is 0"),
        ({"performance_schema": [(3,)]}, True, "members ONLINE in its group: 3"),
        ({"performance_schema": [(1,)]}, False, "members ONLINE in its group: 1"),
        ({"performance_schema": [(0,)]}, None, "REPLICATION SLAVE"),
        ({"performance_schema": DENIED}, None, "command denied"),
    ],
)
def test_other_servers_are_told_by_galera_or_by_those_that_are_connected(
    monkeypatch, connect, answers, survives, told
):
    sql, _, _ = connect()

    def rows(query, *values):
        answer = next((answer for key, answer in answers.items() if key in query), [])
        if isinstance(answer, Exception):
            raise sql._refused(answer)
        return list(answer.items()) if isinstance(answer, dict) else answer

    monkeypatch.setattr(sql, "rows", rows)
    found = sql.redundancy()
    assert found.survives is survives
    assert told in found.seen


@pytest.mark.parametrize(
    "error, told",
    [
        (pymysql.OperationalError(1045, "Access denied for user 'harbork8s'"), "Access denied"),
        (pymysql.ProgrammingError(1146, "Table 'x' doesn't exist"), "(1146)"),
        (pymysql.err.InterfaceError(), "database registry_k8s at mysql:3306, by way of 198.18.0.1:13306"),
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
    with pytest.raises(
        StoreRefused, match=r"registry_k8s at mysql:3306, by way of 127\.0\.0\.1:1: .*\(2003\)"
    ):
        MySql(DATABASE, "127.0.0.1:1", timeouts_s=(1, 1))
