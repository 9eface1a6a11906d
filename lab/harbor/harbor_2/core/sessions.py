"""Sessions: the cookie, and where they are kept.

Every request that is let through has one. Without a live one it gets a new one, so each probe leaves a key for an
hour.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Protocol

import redis

from ...web.request import Request
from ..redis_client import RedisError
from ..version import at_least

COOKIE = "sid"
LIFETIME_S = 3600
NO_RENEWAL = "X-Harbor-No-Session-Renewal"
"""With this header, whatever it says, a request uses its session and does not prolong it, from 2.15 on.

A session that is not in Redis (yet, or any more) is then kept there for ever.
"""

Values = dict[str, Any]


class NotASession(Exception):
    """Something else lies where the session should be."""


@dataclass
class Session:
    """`cookies` are to be told to the client; `ended` ones are not kept."""

    id: str
    values: Values = field(default_factory=dict)
    is_new: bool = False
    ended: bool = False
    cookies: list[str] = field(default_factory=list)


class Store(Protocol):
    def exists(self, session_id: str) -> bool: ...
    def read(self, session_id: str) -> Values:
        """Raises NotASession."""
        ...

    def write(self, session_id: str, values: Values, lifetime_s: int | None) -> None:
        """For another `lifetime_s`; None: for as long as it would have been kept without."""
        ...

    def delete(self, session_id: str) -> None: ...


class RedisStore:
    """The key is the session's id alone. What Redis refuses or loses is not reported to anybody."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def exists(self, session_id: str) -> bool:
        try:
            return self._client.exists(session_id) == 1
        except redis.TimeoutError:
            # 2.12 then reads it: recorded of a Redis that was frozen for 20 s, after which the session was known.
            return not at_least(2, 15)
        except RedisError:
            return False

    def read(self, session_id: str) -> Values:
        try:
            data = self._client.get(session_id)
        except RedisError:
            return {}
        return _decoded(data) if isinstance(data, bytes) else {}

    def write(self, session_id: str, values: Values, lifetime_s: int | None) -> None:
        try:
            self._client.set(session_id, _encoded(values), ex=lifetime_s, keepttl=lifetime_s is None)
        except RedisError:
            return

    def delete(self, session_id: str) -> None:
        try:
            self._client.delete(session_id)
        except RedisError:
            return


class MemoryStore:
    """In this process, so that another core knows nothing of them."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._sessions: dict[str, tuple[float, Values]] = {}
        self._lock = threading.Lock()

    def exists(self, session_id: str) -> bool:
        with self._lock:
            self._forget_old()
            return session_id in self._sessions

    def read(self, session_id: str) -> Values:
        with self._lock:
            return dict(self._sessions.get(session_id, (0.0, {}))[1])

    def write(self, session_id: str, values: Values, lifetime_s: int | None) -> None:
        """What lies here is prolonged by each use."""
        with self._lock:
            self._sessions.pop(session_id, None)
            self._sessions[session_id] = (self._clock_s() + (lifetime_s or LIFETIME_S), dict(values))

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
    """`lifetime_s` tells how long a session lives from its last use."""

    def __init__(self, store: Store, lifetime_s: Callable[[], int] = lambda: LIFETIME_S) -> None:
        self._store = store
        self._lifetime_s = lifetime_s

    def begin(self, request: Request) -> Session:
        """The session of the request's cookie, else a new one. Raises NotASession."""
        session_id = request.cookie(COOKIE)
        if session_id and self._store.exists(session_id):
            return Session(session_id, self._store.read(session_id))
        session = Session(secrets.token_hex(16), is_new=True)
        session.cookies.append(_cookie(session.id))
        return session

    def keep(self, session: Session, request: Request) -> None:
        """At the end of a request: write it, for another hour."""
        unprolonged = at_least(2, 15) and bool(request.headers.get(NO_RENEWAL))
        if not session.ended:
            self._store.write(session.id, session.values, None if unprolonged else self._lifetime_s())

    def renew(self, session: Session) -> None:
        """Give it another id, as a login does: who knew the old one knows nothing of the user."""
        self._store.delete(session.id)
        session.id = secrets.token_hex(16)
        session.is_new = True
        session.cookies.append(_cookie(session.id))

    def end(self, session: Session) -> None:
        """Log out."""
        session.ended = True
        self._store.delete(session.id)
        session.cookies.append(f"{COOKIE}=; Path=/; Expires={formatdate(usegmt=True)}; Max-Age=0; HttpOnly")


def _cookie(session_id: str) -> str:
    return f"{COOKIE}={session_id}; Path=/; HttpOnly"


def _encoded(values: Values) -> bytes:
    return json.dumps({"session": values}, separators=(",", ":")).encode()


def _decoded(data: bytes) -> Values:
    try:
        values = json.loads(data)["session"]
    except (ValueError, KeyError, TypeError):
        raise NotASession(f"no session: {data[:40]!r}") from None
    if not isinstance(values, dict):
        raise NotASession(f"no session: {data[:40]!r}")
    return values
