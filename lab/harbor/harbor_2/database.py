"""Harbor's PostgreSQL database, with a pool of connections that behaves as Go's does.

A connection that the server has closed while it lay idle is noticed before it is used, so after a failover of the
database the next request succeeds. None lives for longer than 5 minutes. Nothing has a timeout: with a frozen database
the calls hang.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.errorcodes
import psycopg2.extras

from ..idle_connections import IdleConnections
from . import authorities

DatabaseError = psycopg2.Error
Duplicate = psycopg2.errors.UniqueViolation
"""A DatabaseError: a row with that key is there already."""

Row = dict[str, Any]
Connection = psycopg2.extensions.connection
Cursor = psycopg2.extensions.cursor

_LIFETIME_S = 300.0
_LOOKED_AFTER_EVERY_S = 5.0
_ANY_NUMBER = 10_000


class Database:
    """All of its functions raise DatabaseError. Times are without a zone, in UTC."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        password: str,
        name: str,
        *,
        sslmode: str = "disable",
        most_idle: int = 2,
        most_open: int = 0,
    ) -> None:
        """`most_idle` connections are kept when nobody needs them; `most_open` are open at once, 0: any number."""
        self._target = {
            "host": host,
            "port": port,
            "user": user,
            "password": password,
            "dbname": name,
            "sslmode": sslmode,
        }
        if sslmode.startswith("verify"):
            self._target["sslrootcert"] = authorities.file()
        self._connections = IdleConnections(
            self._connect,
            _drop,
            _socket_of,
            most_idle,
            lifetime_s=_LIFETIME_S,
            reap_every_s=_LOOKED_AFTER_EVERY_S,
        )
        self._free = threading.BoundedSemaphore(most_open if most_open > 0 else _ANY_NUMBER)

    def rows(self, sql: str, *arguments: Any) -> list[Row]:
        """The rows of a SELECT, or of what RETURNING gives."""
        with self.cursor() as cursor:
            cursor.execute(sql, arguments)
            return [dict(row) for row in cursor.fetchall()]

    def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a SELECT, None when there is none."""
        return next(iter(self.rows(sql, *arguments)), None)

    def count(self, sql: str, *arguments: Any) -> int:
        """The number that a SELECT … AS n gives."""
        return int(self.rows(sql, *arguments)[0]["n"])

    def change(self, sql: str, *arguments: Any) -> int:
        """Run an INSERT, UPDATE or DELETE; return how many rows it changed."""
        with self.cursor() as cursor:
            cursor.execute(sql, arguments)
            return int(cursor.rowcount)

    def insert(self, sql: str, *arguments: Any) -> int:
        """Run an INSERT … RETURNING id; return the id."""
        with self.cursor() as cursor:
            cursor.execute(sql, arguments)
            return int(next(iter(cursor.fetchone().values())))

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor whose statements take effect together, or not at all. Its rows are dictionaries."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        with self._free, self._connections.lent() as connection, connection.cursor() as cursor:
            yield cursor

    def _connect(self) -> Connection:
        # As the real one's driver sends it: a parameter of its own, which poolers take, and no option. libpq has it
        # from the environment alone.
        os.environ["PGTZ"] = "UTC"
        try:
            connection = psycopg2.connect(
                **self._target,
                application_name="harbor stand-in",
                cursor_factory=psycopg2.extras.RealDictCursor,
            )
        except psycopg2.OperationalError as failure:
            raise psycopg2.OperationalError(_unreachable(self._target, failure)) from failure
        connection.autocommit = True
        return connection


def describe(error: DatabaseError) -> str:
    """As Harbor's driver words it: with the server's code, or with the address, user and database it cannot reach."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if error.pgcode:
        severity = error.diag.severity or "ERROR"
        return f"{severity}: {error.diag.message_primary or text} (SQLSTATE {error.pgcode})"
    return re.sub(r"\s+", " ", text)


def _unreachable(target: dict[str, Any], failure: DatabaseError) -> str:
    """As Harbor's driver words it: with everything that names the database."""
    named = f"host={target['host']} user={target['user']} database={target['dbname']}"
    lines = str(failure).strip().splitlines() or [type(failure).__name__]
    reason = re.sub(r"^.* failed: ", "", lines[0])
    reason = re.sub(r"^Connection refused.*", "connection refused", reason)
    return f"failed to connect to `{named}`: dial error (dial tcp {target['host']}:{target['port']}: connect: {reason})"


def contains(text: str) -> str:
    """A pattern for LIKE: whatever contains `text`."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"


def _socket_of(connection: Connection) -> int | None:
    return None if connection.closed else connection.fileno()


def _drop(connection: Connection) -> None:
    with suppress(DatabaseError):
        connection.close()
