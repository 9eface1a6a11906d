"""Connections that are kept for the next request, as Go's pools keep them: the one used last is the next."""

import math
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")


@dataclass(eq=False)
class _Kept(Generic[C]):
    """Times are monotonic, in seconds."""

    connection: C
    made_s: float
    used_s: float
    is_reused: bool = False


class IdleConnections(Generic[C]):
    """One that the server has closed while it lay idle is noticed before it is used, and dropped."""

    def __init__(
        self,
        connect: Callable[[], C],
        drop: Callable[[C], None],
        socket_of: Callable[[C], Any] | None,
        most: int,
        *,
        lifetime_s: float = math.inf,
        idle_s: float = math.inf,
        reap_every_s: float | None = None,
    ) -> None:
        """`socket_of` gives what `poll` takes, None for a connection that is known to be closed; without it nobody
        looks before one is used. `most` are kept.

        One that is older than `lifetime_s`, or has lain idle for `idle_s`, is not used again. It is closed when
        somebody looks for them, each `reap_every_s`; with None when its turn has come.
        """
        self._connect, self._drop, self._socket_of, self._most = connect, drop, socket_of, most
        self._lifetime_s, self._idle_s = lifetime_s, idle_s
        self._idle: list[_Kept[C]] = []
        self._lock = threading.Lock()
        if reap_every_s is not None:
            threading.Thread(target=self._reap_for_ever, args=(reap_every_s,), daemon=True).start()

    @contextmanager
    def lent(self) -> Iterator[C]:
        """A connection that nobody else has meanwhile."""
        kept = self.take()
        try:
            yield kept.connection
        except BaseException:
            # What it was in the middle of is not known: not to be used again.
            self._drop(kept.connection)
            raise
        self.give_back(kept)

    def take(self) -> _Kept[C]:
        """One for who ends the loan with `give_back`, or closes it. Raises what connecting raises."""
        while True:
            with self._lock:
                kept = self._idle.pop() if self._idle else None
            if kept is None:
                connection, now_s = self._connect(), time.monotonic()
                return _Kept(connection, now_s, now_s)
            if not self._is_spent(kept) and not self._is_closed(kept.connection):
                kept.is_reused = True
                return kept
            self._drop(kept.connection)

    def give_back(self, kept: _Kept[C]) -> None:
        kept.used_s = time.monotonic()
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append(kept)
                return
        self._drop(kept.connection)

    def drop(self, which: Callable[[C], bool]) -> None:
        """Close those that lie idle."""
        self._drop_kept(lambda kept: which(kept.connection))

    def _drop_kept(self, which: Callable[[_Kept[C]], bool]) -> None:
        with self._lock:
            dropped = [kept for kept in self._idle if which(kept)]
            self._idle = [kept for kept in self._idle if kept not in dropped]
        for kept in dropped:
            self._drop(kept.connection)

    def _reap_for_ever(self, every_s: float) -> None:
        while True:
            time.sleep(every_s)
            self._drop_kept(self._is_spent)

    def _is_spent(self, kept: _Kept[C]) -> bool:
        now_s = time.monotonic()
        return now_s - kept.made_s >= self._lifetime_s or now_s - kept.used_s >= self._idle_s

    def _is_closed(self, connection: C) -> bool:
        if self._socket_of is None:
            return False
        socket = self._socket_of(connection)
        if socket is None:
            return True
        # Nothing is outstanding on an idle connection, so anything that can be read is its end.
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(0))
