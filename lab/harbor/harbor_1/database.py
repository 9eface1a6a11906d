"""Harbor's database, with a pool of connections that behaves as Go's does.

A connection that the server has closed while it lay idle is noticed before it is used, so after a restart of the
database the next request succeeds. Nothing has a timeout: with a frozen database the calls hang.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql
import pymysql.constants.ER
import pymysql.cursors

from ..idle_connections import IdleConnections

DatabaseError = pymysql.MySQLError
DUPLICATE = pymysql.constants.ER.DUP_ENTRY

Row = dict[str, Any]

_IDLE_CONNECTIONS = 8
_NO_TIMEOUT_S = 31536000  # what the client library takes for a timeout must be a number


class Database:
    """All of its functions raise DatabaseError; `code(error)` is the server's number."""

    def __init__(self, host: str, port: int, user: str, password: str, name: str) -> None:
        self._target = {"host": host, "port": port, "user": user, "password": password, "database": name}
        self._connections = IdleConnections(self._connect, _drop, _socket_of, _IDLE_CONNECTIONS)

    def rows(self, sql: str, *arguments: Any) -> list[Row]:
        """The rows of a SELECT."""
        with self.cursor() as cursor:
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())

    def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a SELECT, None when there is none."""
        return next(iter(self.rows(sql, *arguments)), None)

    def count(self, sql: str, *arguments: Any) -> int:
        """The number that a SELECT COUNT(*) AS n gives."""
        return int(self.rows(sql, *arguments)[0]["n"])

    def change(self, sql: str, *arguments: Any) -> int:
        """Run an INSERT, UPDATE or DELETE; return the id of the inserted row."""
        with self.cursor() as cursor:
            cursor.execute(sql, arguments)
            return int(cursor.lastrowid)

    @contextmanager
    def transaction(self) -> Iterator[pymysql.cursors.Cursor]:
        """A cursor whose statements take effect together, or not at all."""
        with self.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def cursor(self) -> Iterator[pymysql.cursors.Cursor]:
        with self._connections.lent() as connection, connection.cursor() as cursor:
            yield cursor

    def _connect(self) -> pymysql.connections.Connection:
        return pymysql.connect(
            **self._target,
            charset="utf8mb4",
            connect_timeout=_NO_TIMEOUT_S,
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            cursorclass=pymysql.cursors.DictCursor,
        )


def code(error: DatabaseError) -> int:
    """The server's error number."""
    return int(error.args[0])


def describe(error: DatabaseError) -> str:
    """As Harbor's driver words it."""
    return f"Error {error.args[0]}: {error.args[1]}" if len(error.args) > 1 else str(error)


def placeholders(values: Sequence[Any]) -> str:
    """What goes into IN (…) for that many values; for none, something that equals nothing."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def _socket_of(connection: pymysql.connections.Connection) -> Any:
    return connection._sock


def _drop(connection: pymysql.connections.Connection) -> None:
    connection._force_close()
