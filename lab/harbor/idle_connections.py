"""Connections to a database that are kept for the next request, as Go's pool of them keeps them."""

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

C = TypeVar("C")


class IdleConnections(Generic[C]):
    """One that the server has closed while it lay idle is noticed before it is used, and dropped."""

    def __init__(
        self, connect: Callable[[], C], drop: Callable[[C], None], socket_of: Callable[[C], Any], most: int
    ) -> None:
        """`socket_of` gives what `poll` takes, None for a connection that is known to be closed; `most` are kept."""
        self._connect, self._drop, self._socket_of, self._most = connect, drop, socket_of, most
        self._idle: list[C] = []
        self._lock = threading.Lock()

    @contextmanager
    def lent(self) -> Iterator[C]:
        """A connection that nobody else has meanwhile."""
        connection = self._take()
        try:
            yield connection
        except BaseException:
            # What it was in the middle of is not known: not to be used again.
            self._drop(connection)
            raise
        self._give_back(connection)

    def _take(self) -> C:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if not self._is_closed(connection):
                return connection
            self._drop(connection)

    def _give_back(self, connection: C) -> None:
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append(connection)
                return
        self._drop(connection)

    def _is_closed(self, connection: C) -> bool:
        socket = self._socket_of(connection)
        if socket is None:
            return True
        # Nothing is outstanding on an idle connection, so anything that can be read is its end.
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(0))
