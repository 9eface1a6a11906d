"""Harbor's PostgreSQL as a client of it sees it, with a driver of a few lines."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from harbor_verify.clients import certificates
from harbor_verify.clients import postgresql as module
from harbor_verify.clients.databases import open_sql
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.model.stores import Database

DATABASE = Database("postgresql", "postgresql", 5432, user="harbor", password="hush", name="registry")


class Connection:
    """A connection that gives the first of `answers` whose key is in a query; it notes what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked, self.limits, self.closed = answers, [], [], False

    def execute(self, query, values=None):
        text = query if isinstance(query, str) else query.as_string(None)
        if text.startswith("SET LOCAL"):
            self.limits.append(text)
        else:
            self.asked.append((text, values))
        answer = next((answer for key, answer in self.answers.items() if key in text), [])
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(fetchall=lambda: answer(*values) if callable(answer) else answer)

    def transaction(self):
        return nullcontext()

    def close(self):
        self.closed = True


@pytest.fixture
def connect(monkeypatch):
    """`connect(answers)`: the client, its connection, and what the driver was told."""

    def make(answers=None, database=DATABASE, address="198.18.0.1:15432"):
        told, connection = {}, Connection(answers or {})

        def driver(**settings):
            told.update(settings)
            return connection

        monkeypatch.setattr(module.psycopg, "connect", driver)
        return open_sql(database, address, timeouts_s=(0.2, 30)), connection, told

    return make


def test_it_goes_to_the_given_address_with_harbors_own_credentials_and_deadlines(connect):
    _, _, told = connect()
    assert (told["host"], told["port"]) == ("198.18.0.1", 15432)
    assert (told["user"], told["password"], told["dbname"]) == ("harbor", "hush", "registry")
    assert told["connect_timeout"] == 2, "the driver takes whole seconds, and 1 for 2"
    assert told["sslmode"] == "prefer"
    assert connect(database=Database(**{**vars(DATABASE), "tls": "disable"}))[2]["sslmode"] == "disable"


def refusing(monkeypatch, message, database=DATABASE, *, answers=None, **more):
    """The client of a database whose first connection is refused; what each attempt was told."""
    attempts = []

    def driver(**settings):
        attempts.append(settings)
        if len(attempts) == 1 or answers is None:
            raise psycopg.OperationalError(message)
        return answers

    monkeypatch.setattr(module.psycopg, "connect", driver)
    return open_sql(database, "198.18.0.1:15432", timeouts_s=(1, 30), **more), attempts


def test_nothing_is_set_for_longer_than_a_question_where_a_pooler_may_give_the_connection_to_others(connect):
    sql, connection, told = connect({"SELECT": [(1,)]})
    assert "options" not in told
    assert sql.rows("SELECT 1") == [(1,)]
    assert connection.limits == ["SET LOCAL statement_timeout = 30000"]


VERIFIED = Database(**{**vars(DATABASE), "tls": "verify-full", "host": "db.example"})


def test_a_certificate_that_this_side_does_not_trust_says_nothing_about_harbor(monkeypatch):
    for message in ('root certificate file "/x/root.crt" does not exist', "certificate verify failed"):
        with pytest.raises(CannotTell, match="--database-ca-file"):
            refusing(monkeypatch, message, VERIFIED)


@pytest.mark.parametrize("database", [DATABASE, VERIFIED])
def test_a_certificate_that_has_expired_and_any_other_refusal_is_harbors(monkeypatch, database):
    for message in ("SSL error: certificate has expired", "password authentication failed"):
        with pytest.raises(StoreRefused):
            refusing(monkeypatch, message, database)


def test_a_certificate_is_for_the_name_that_harbor_knows_whichever_address_leads_there(connect):
    told = connect(database=VERIFIED)[2]
    assert (told["host"], told["hostaddr"]) == ("db.example", "198.18.0.1")
    assert "hostaddr" not in connect()[2]


def test_it_is_for_that_name_too_where_another_name_leads_there(connect, monkeypatch):
    """As a port-forward's: localhost may be two addresses, of which one answers."""
    found = [(10, 1, 6, "", ("::1", 0, 0, 0)), (2, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: found)
    told = connect(database=VERIFIED, address="localhost:15432")[2]
    assert (told["host"], told["hostaddr"]) == ("db.example,db.example", "::1,127.0.0.1")


def test_a_name_that_nobody_knows_is_for_the_driver_to_refuse(connect, monkeypatch):
    def unknown(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(module.socket, "getaddrinfo", unknown)
    told = connect(database=VERIFIED, address="tunnel:15432")[2]
    assert told["host"] == "tunnel"
    assert "hostaddr" not in told


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_without_an_authority_of_its_own_the_systems_are_trusted_as_harbor_trusts_them(connect, mode):
    """libpq itself would want a file in the home of whoever runs this, and refuse without."""
    told = connect(database=Database(**{**vars(VERIFIED), "tls": mode}))[2]
    assert "BEGIN CERTIFICATE" in Path(told["sslrootcert"]).read_text()
    assert "sslrootcert" not in connect(database=Database(**{**vars(DATABASE), "tls": "require"}))[2]


def test_where_the_system_has_no_file_of_authorities_there_is_one_all_the_same(monkeypatch):
    none = SimpleNamespace(cafile=None)
    monkeypatch.setattr(certificates.ssl, "get_default_verify_paths", lambda: none)
    assert "BEGIN CERTIFICATE" in certificates.system_authorities().read_text()


def test_tables_and_rows_are_asked_for_with_names_as_they_are_written(connect):
    sql, connection, _ = connect({"pg_tables": [("Project",), ("role",)], 'FROM "role"': [(1,)]})
    assert sql.tables() == {"project", "role"}
    assert sql.has_row("role", "role_id = 1")
    assert not sql.has_row('x" y', "id = 1")
    assert [text for text, _ in connection.asked][1:] == [
        'SELECT 1 FROM "role" WHERE role_id = 1 LIMIT 1',
        'SELECT 1 FROM "x"" y" WHERE id = 1 LIMIT 1',
    ]
    # Without values no % of a query is taken for a place of one.
    assert {values for _, values in connection.asked} == {None}


RIGHTS = {
    "has_table_privilege": lambda right: [],
    "transaction_read_only": [("off",)],
    "pg_is_in_recovery": [(False,)],
}


def test_who_may_read_and_write_every_table_lacks_nothing(connect):
    sql, connection, _ = connect(RIGHTS)
    assert sql.missing_rights() == []
    asked = [values for text, values in connection.asked if "has_table_privilege" in text]
    assert asked == [("SELECT",), ("INSERT",), ("UPDATE",), ("DELETE",)]
    # The driver takes %% for %, as there is a value.
    assert "format('%%I.%%I'" in connection.asked[0][0]


def test_what_harbor_may_not_do_is_told_with_some_of_the_tables(connect):
    tables = [(f"t{n}",) for n in range(5)]
    lacking = {"INSERT": tables, "DELETE": tables[:1]}
    sql, _, _ = connect({**RIGHTS, "has_table_privilege": lambda right: lacking.get(right, [])})
    assert sql.missing_rights() == ["INSERT on t0, t1, t2 and 2 more", "DELETE on t0"]


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"pg_is_in_recovery": [(True,)], "transaction_read_only": [("on",)]}, "this server is a standby"),
        ({"transaction_read_only": [("on",)]}, "transactions are read-only here"),
    ],
)
def test_a_server_that_takes_no_writes_is_told_once(connect, changes, told):
    (missing,) = connect({**RIGHTS, **changes})[0].missing_rights()
    assert missing == f"any write: {told}"


@pytest.mark.parametrize(
    "role, database, superuser, taken",
    [(-1, -1, False, 97), (50, -1, False, 50), (-1, 40, False, 40), (300, 200, False, 97), (0, 40, True, 97)],
)
def test_the_least_of_what_server_role_and_database_allow_is_what_harbor_has(
    connect, role, database, superuser, taken
):
    sql, connection, _ = connect({"max_connections": [(97, role, database, superuser)]})
    assert sql.most_connections() == taken
    assert len(connection.asked) == 1


SERVERS = "pg_stat_wal_receiver"


@pytest.mark.parametrize(
    "standby, receivers, followers, survives, told",
    [
        (False, 0, 0, False, "no standby follows it"),
        (False, 0, 1, True, "1 standby follows it"),
        (False, 0, 2, True, "2 standbys follow it"),
        (True, 1, 0, True, "receives from another server"),
        (True, 0, 1, True, "1 standby follows it"),
        (True, 0, 0, None, "receives from nobody now"),
    ],
)
def test_other_servers_are_counted_by_the_connections_between_them(
    connect, standby, receivers, followers, survives, told
):
    sql, connection, _ = connect({SERVERS: [(standby, receivers, followers)]})
    found = sql.redundancy()
    assert (found.survives, found.managed) == (survives, "")
    assert told in found.seen
    # A pooler may ask another server the next statement.
    assert len([text for text, _ in connection.asked if "pg_stat_replication" in text]) == 1


def test_a_service_that_somebody_else_runs_is_known_by_its_roles(connect):
    answers = {SERVERS: [(False, 0, 0)], "pg_roles": [("rds_superuser",)]}
    assert connect(answers)[0].redundancy().managed == "its role rds_superuser (Amazon RDS)"


def test_what_may_not_be_seen_is_unknown_with_the_servers_words(connect):
    refused = psycopg.errors.InsufficientPrivilege("permission denied for view pg_stat_replication")
    found = connect({SERVERS: refused})[0].redundancy()
    assert found.survives is None
    assert "permission denied for view" in found.seen


@pytest.mark.parametrize(
    "error, told",
    [
        (
            psycopg.errors.UndefinedTable('relation "x" does not exist\nLINE 1: …'),
            'relation "x" does not exist LINE',
        ),
        (psycopg.OperationalError("server closed the connection unexpectedly"), "closed the connection"),
    ],
)
def test_what_the_database_refuses_is_told_in_one_line_without_the_password(connect, error, told):
    sql, _, _ = connect({"SELECT 1": error})
    with pytest.raises(
        StoreRefused, match=r"^database registry at postgresql:5432, by way of 198\.18\.0\.1:15432: "
    ) as refused:
        sql.rows("SELECT 1")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_question_that_this_side_cuts_off_says_nothing_of_the_database(connect):
    slow = psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
    sql, _, _ = connect({"SELECT 1": slow})
    with pytest.raises(CannotTell, match=r"takes it longer than 30 s \(--request-timeout-s\)"):
        sql.rows("SELECT 1")


def test_it_is_closed_at_the_end_of_its_block(connect):
    sql, connection, _ = connect()
    with sql:
        assert not connection.closed
    assert connection.closed


def test_a_database_that_nobody_answers_for_is_a_refusal():
    with pytest.raises(
        StoreRefused, match=r"registry at postgresql:5432, by way of 127\.0\.0\.1:1: .*refused"
    ) as refused:
        open_sql(DATABASE, "127.0.0.1:1", timeouts_s=(1, 1))
    assert "hush" not in str(refused.value)
