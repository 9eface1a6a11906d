"""Harbor's database, with a pool of connections that behaves as Go's does.

A connection that the server has closed while it lay idle is noticed before it is used, so after a restart of the
database the next request succeeds. Nothing has a timeout: with a frozen database the calls hang.
"""

import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql
import pymysql.constants.ER
import pymysql.cursors

DatabaseError = pymysql.MySQLError
DUPLICATE = pymysql.constants.ER.DUP_ENTRY

Row = dict[str, Any]

_IDLE_CONNECTIONS = 8
_NO_TIMEOUT_S = 31536000  # what the client library takes for a timeout must be a number


class Database:
    """All of its functions raise DatabaseError; `code(error)` is the server's number."""

    def __init__(self, host: str, port: int, user: str, password: str, name: str) -> None:
        self._target = {"host": host, "port": port, "user": user, "password": password, "database": name}
        self._idle: list[pymysql.connections.Connection] = []
        self._lock = threading.Lock()

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
        connection = self._take()
        try:
            with connection.cursor() as cursor:
                yield cursor
        except BaseException:
            # What it was in the middle of is not known: not to be used again.
            _drop(connection)
            raise
        self._give_back(connection)

    def _take(self) -> pymysql.connections.Connection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if not _closed_by_server(connection):
                return connection
            _drop(connection)

    def _give_back(self, connection: pymysql.connections.Connection) -> None:
        with self._lock:
            if len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        _drop(connection)

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


def _closed_by_server(connection: pymysql.connections.Connection) -> bool:
    # Nothing is outstanding on an idle connection, so anything that can be read is its end.
    poll = select.poll()
    poll.register(connection._sock, select.POLLIN)
    return bool(poll.poll(0))


def _drop(connection: pymysql.connections.Connection) -> None:
    connection._force_close()
