"""A PostgreSQL."""

import socket
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from harbor_verify.clients.certificates import system_authorities
from harbor_verify.clients.sql import Sql
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.model.addresses import split
from harbor_verify.model.grants import READ_AND_WRITE
from harbor_verify.model.managed import ROLES
from harbor_verify.model.stores import Database, Durability, Redundancy

_SERVERS = """
SELECT pg_is_in_recovery(),
  (SELECT count(*) FROM pg_stat_wal_receiver),
  (SELECT count(*) FROM pg_stat_replication
   WHERE (state IS NULL OR state IN ('streaming', 'catchup'))
   AND (application_name IS NULL
     OR application_name NOT IN ('pg_receivewal', 'pg_basebackup', 'barman_receive_wal'))
   AND pid NOT IN (SELECT active_pid FROM pg_replication_slots
     WHERE slot_type = 'logical' AND active_pid IS NOT NULL))
"""
"""One statement, since a pooler may ask another server the next one. Whoever has not pg_read_all_stats sees
little more of a standby's connection than that it is there: rows are counted, but what is surely none."""

_CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int,
  rolconnlimit, datconnlimit, rolsuper
FROM pg_roles, pg_database WHERE rolname = session_user AND datname = current_database()
"""
"""The setting reserved_connections is of PostgreSQL 16 and later."""

_PROCESS = "SELECT pg_backend_pid()"


class PostgreSql(Sql):
    """One connection to it, also by way of a pooler."""

    def __init__(
        self,
        database: Database,
        address: str,
        *,
        timeouts_s: tuple[float, float],
        ca_file: Path | None = None,
    ) -> None:
        """`ca_file`: whom to trust where a certificate is verified; None: the system's authorities, as Harbor does.

        Raises StoreRefused, and CannotTell where it is this side that does not trust its certificate.
        """
        super().__init__(database, address)
        host, port = split(address)
        connect_s, request_s = timeouts_s
        self._statement_timeout_ms = round(request_s * 1000)
        if ca_file is None and database.tls.startswith("verify"):
            ca_file = system_authorities()  # libpq's own is a file in the home of whoever runs it
        settings: dict[str, Any] = {
            **_place(database, host),
            "port": int(port),
            "user": database.user,
            "password": database.password,
            "dbname": database.name,
            "sslmode": database.tls or "prefer",
            "connect_timeout": max(2, round(connect_s)),
            "tcp_user_timeout": self._statement_timeout_ms,
            "application_name": "harbor-verify",
            "autocommit": True,
            # Nothing by itself: what is prepared by way of a pooler may not be found again.
            "prepare_threshold": None,
            **({"sslrootcert": str(ca_file)} if ca_file else {}),
        }
        try:
            self._connection = psycopg.connect(**settings)
        except psycopg.Error as refused:
            message = str(refused)
            if database.tls.startswith("verify") and "certificate" in message and "expired" not in message:
                raise CannotTell(
                    f"{self._what}: this side does not trust its certificate: {' '.join(message.split())}. "
                    "--database-ca-file names whom to trust."
                ) from refused
            raise self._refused(refused) from refused

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: Any, *values: Any) -> list[tuple[Any, ...]]:
        try:
            # No option of the connection: PgBouncer takes none, and what is set there may stay set for others.
            with self._connection.transaction():
                self._connection.execute(f"SET LOCAL statement_timeout = {self._statement_timeout_ms}")
                return self._connection.execute(query, values or None).fetchall()
        except psycopg.errors.QueryCanceled as slow:
            # It was this side's own limit that ended it.
            limit_s = self._statement_timeout_ms / 1000
            raise CannotTell(
                f"{self._what}: a question of this suite takes it longer than {limit_s:g} s (--request-timeout-s)"
            ) from slow
        except psycopg.Error as refused:
            raise self._refused(refused) from refused

    def tables(self) -> set[str]:
        rows = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {str(name).lower() for (name,) in rows}

    def has_row(self, table: str, where: str) -> bool:
        query = sql.SQL("SELECT 1 FROM {} WHERE " + where + " LIMIT 1").format(sql.Identifier(table))
        return bool(self.rows(query))

    def missing_rights(self) -> list[str]:
        """By has_table_privilege, of each table; and that it is not a server which takes no writes at all."""
        missing = []
        for right in READ_AND_WRITE:
            lacking = self.rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
                "AND NOT has_table_privilege(format('%%I.%%I', schemaname, tablename), %s) ORDER BY tablename",
                right,
            )
            if lacking:
                names = [str(name) for (name,) in lacking]
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                missing.append(f"{right} on {', '.join(names[:3])}{more}")
        ((read_only,),) = self.rows("SHOW transaction_read_only")
        ((recovering,),) = self.rows("SELECT pg_is_in_recovery()")
        if recovering:
            missing.append("any write: this server is a standby")
        elif read_only != "off":
            missing.append("any write: transactions are read-only here")
        return missing

    def most_connections(self) -> int | None:
        """The least of what the server, its database and Harbor's role there are allowed.

        What is kept for superusers and others is none of Harbor's. Source: CONNECTION LIMIT of CREATE ROLE and CREATE
        DATABASE: negative is none, and it does not hold for superusers.
        """
        ((most, role, database, superuser),) = self.rows(_CONNECTIONS)
        limits = [] if superuser else [limit for limit in (role, database) if limit >= 0]
        return int(min(most, *limits)) if limits else int(most)

    def durability(self) -> Durability:
        """By its settings, as they are for this user; one statement, since a pooler may ask another server the next."""
        names = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")
        shown = ", ".join(f"current_setting('{name}')" for name in names)
        (row,) = self.rows(f"SELECT {shown}")
        told = dict(zip(names, map(str, row), strict=True))
        lost = [f"{name} is off" for name in names[:3] if told[name] == "off"]
        commit = told["synchronous_commit"]
        alone = ""
        if commit == "local":
            alone = "synchronous_commit is local: no commit waits for another server"
        elif commit != "off" and not told["synchronous_standby_names"]:
            alone = "synchronous_standby_names is empty: no commit waits for another server"
        return Durability(tuple(lost), alone)

    def by_pooler(self) -> bool:
        """A pooler counts its clients itself: the number given to a new one is of no process of the server's."""
        ((process,),) = self.rows(_PROCESS)
        return bool(process != self._connection.info.backend_pid)

    def forgets_beside(self, other: Self) -> str:
        """A pooler that shares out its connections by the transaction gives that of the last to the next who asks: from
        `other`, which got it, this one is led to another, where nothing of its own is.

        Source: PgBouncer's features by pool_mode; max_prepared_statements, from 1.21 on, mends it.
        """
        self._connection.prepare_threshold = 0
        try:
            self._connection.execute(_PROCESS)
            with other._connection.transaction():
                other._connection.execute(_PROCESS)
                self._connection.execute(_PROCESS)
        except (
            psycopg.errors.InvalidSqlStatementName,
            psycopg.errors.DuplicatePreparedStatement,
        ) as forgotten:
            return " ".join(str(forgotten).split())
        except psycopg.Error as refused:
            raise self._refused(refused) from refused
        finally:
            self._connection.prepare_threshold = None
        return ""

    def redundancy(self) -> Redundancy:
        """By pg_stat_replication on a primary, by pg_stat_wal_receiver on a standby."""
        try:
            ((is_standby, receivers, followers),) = self.rows(_SERVERS)
            made = self.rows("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", list(ROLES))
        except StoreRefused as refused:
            return Redundancy(None, str(refused))
        managed = next((f"its role {name} ({ROLES[name]})" for (name,) in made), "")
        if followers:
            follow = "1 standby follows it" if followers == 1 else f"{followers} standbys follow it"
            return Redundancy(True, f"{follow} (pg_stat_replication)", managed)
        if is_standby:
            # Which may well be fed from an archive, by nobody who could be seen.
            seen = "a standby that receives from " + ("another server" if receivers else "nobody now")
            return Redundancy(True if receivers else None, f"{seen} (pg_stat_wal_receiver)", managed)
        return Redundancy(False, "no standby follows it (pg_stat_replication has no row)", managed)

    def _refused(self, refused: psycopg.Error) -> StoreRefused:
        return self._refusal(" ".join(str(refused).split()))


def _place(database: Database, host: str) -> dict[str, str]:
    """Where to connect: its certificate is to be for the name that Harbor knows, whichever host leads there."""
    if database.tls != "verify-full" or host == database.host:
        return {"host": host}
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return {"host": host}  # the driver says that nobody knows it
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    # One name for each address, which are tried in turn.
    return {"host": ",".join([database.host] * len(addresses)), "hostaddr": ",".join(addresses)}
