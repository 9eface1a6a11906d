"""Sessions: the cookie, and where they are kept.

Every request has one. Without a live one it gets a new one, so each probe leaves a key in Redis for an hour.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from ...termination import Panic
from ...web.request import Request
from . import gob
from .redis_pool import Pool, RedisError

COOKIE = "beegosessionID"
LIFETIME_S = 3600


@dataclass
class Session:
    """`is_new` sessions are told to the client; `ended` ones are not kept."""

    id: str
    values: gob.Values = field(default_factory=dict)
    is_new: bool = False
    ended: bool = False


class Store(Protocol):
    def exists(self, session_id: str) -> bool: ...
    def read(self, session_id: str) -> gob.Values:
        """Raises NotGob when something else lies there."""
        ...

    def write(self, session_id: str, values: gob.Values) -> None: ...
    def delete(self, session_id: str) -> None: ...


def open_store() -> Store:
    """In Redis where _REDIS_URL is set, else in this process. Raises Panic when Redis refuses."""
    setting = os.environ.get("_REDIS_URL", "")
    if not setting:
        return MemoryStore()
    pool = Pool(setting)
    try:
        pool.check()
    except RedisError as failure:
        raise Panic(str(failure)) from failure
    return RedisStore(pool)


class RedisStore:
    """The key is the session's id alone. What Redis refuses or loses is not reported to anybody."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def exists(self, session_id: str) -> bool:
        try:
            return self._pool.command("EXISTS", session_id) == 1
        except RedisError:
            return False

    def read(self, session_id: str) -> gob.Values:
        try:
            data = self._pool.command("GET", session_id)
        except RedisError:
            return {}
        return gob.decode(data) if isinstance(data, bytes) and data else {}

    def write(self, session_id: str, values: gob.Values) -> None:
        self._swallow("SETEX", session_id, LIFETIME_S, gob.encode(values))

    def delete(self, session_id: str) -> None:
        self._swallow("DEL", session_id)

    def _swallow(self, *command: str | bytes | int) -> None:
        try:
            self._pool.command(*command)
        except RedisError:
            return


class MemoryStore:
    """Requests of one session share its values, so that a request which ends late brings nothing back."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._sessions: dict[str, tuple[float, gob.Values]] = {}
        self._lock = threading.Lock()

    def exists(self, session_id: str) -> bool:
        with self._lock:
            self._forget_old()
            return session_id in self._sessions

    def read(self, session_id: str) -> gob.Values:
        with self._lock:
            _, values = self._sessions.pop(session_id, (0.0, {}))
            self._sessions[session_id] = (self._clock_s() + LIFETIME_S, values)
            return values

    def write(self, session_id: str, values: gob.Values) -> None:
        with self._lock:
            if self._sessions.pop(session_id, None):
                self._sessions[session_id] = (self._clock_s() + LIFETIME_S, values)

    def delete(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def _forget_old(self) -> None:
        # In the order of their last use, so the oldest come first.
        now_s = self._clock_s()
        for session_id, (until_s, _) in list(self._sessions.items()):
            if until_s > now_s:
                return
            del self._sessions[session_id]


class Sessions:
    """Raises NotGob from `begin`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, request: Request) -> Session:
        """The session of the request's cookie or field, else a new one."""
        session_id = request.cookie(COOKIE) or request.text(COOKIE)
        if session_id and self._store.exists(session_id):
            return Session(session_id, self._store.read(session_id))
        session_id = secrets.token_hex(16)
        return Session(session_id, self._store.read(session_id), is_new=True)

    def keep(self, session: Session) -> None:
        """At the end of a request: write it, for another hour."""
        if not session.ended:
            self._store.write(session.id, session.values)

    def end(self, session: Session, request: Request) -> str:
        """Log out; return the cookie that takes the client's away."""
        session.ended = True
        session.values.clear()
        self._store.delete(request.cookie(COOKIE) or session.id)
        return f"{COOKIE}=; Path=/; Expires={formatdate(usegmt=True)}; Max-Age=0; HttpOnly"


def cookie(session: Session) -> str:
    return f"{COOKIE}={session.id}; Path=/; HttpOnly"
