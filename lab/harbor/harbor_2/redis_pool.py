"""Core's connections to Redis, as go-redis keeps them: many, for long, and each command is tried four times.

Which is why a core can stay with a primary that was replaced: a connection that hangs is given up after 3 s, and the
command goes on another that was kept; those that nobody needed meanwhile lead to the old primary all the same, and are
as good as ever once it can be reached again.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import redis

from ..idle_connections import IdleConnections
from .version import at_least

DIAL_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 3.0
_RETRIES = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.008, 0.512
_TURN_TIMEOUT_S = 4.0
"""For so long a command waits until one of the connections is free."""
_DIALS, _BETWEEN_DIALS_S = (5, 0.1) if at_least(2, 15) else (1, 0.0)
IDLE_S = 1800.0 if at_least(2, 15) else 300.0
"""How long a connection may lie idle, where the URL does not say it."""
_REAPED_EVERY_S = None if at_least(2, 15) else 60.0
"""2.15 lets them lie, and drops one that has lain for too long when its turn has come."""
_KEEPALIVE_S = 300
"""Linux sends as many probes as it likes: it takes far longer until a server that has vanished is given up."""
_SWITCHED = "+switch-master"

Address = tuple[str, int]
_TROUBLE = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError, OSError)


def most() -> int:
    """How many connections one client has, and keeps: ten for each processor."""
    return 10 * len(os.sched_getaffinity(0))


class Client(redis.Redis):
    """A client of one Redis, or of whichever the Sentinels name primary."""

    def __init__(
        self, primary: Callable[[], Address], settings: dict[str, Any], *, tls: bool, idle_s: float = IDLE_S
    ) -> None:
        """`primary` tells where to connect, each time; `settings` are those of redis.Connection."""
        super().__init__(connection_pool=redis.ConnectionPool())
        self._primary = primary
        self._settings = {
            "socket_timeout": READ_TIMEOUT_S,
            "socket_connect_timeout": DIAL_TIMEOUT_S,
            "socket_keepalive": True,
            "socket_keepalive_options": {
                socket.TCP_KEEPIDLE: _KEEPALIVE_S,
                socket.TCP_KEEPINTVL: _KEEPALIVE_S,
            },
            **settings,
        }
        self._kind = redis.SSLConnection if tls else redis.Connection
        self._turns = threading.BoundedSemaphore(most())
        self._lent: set[redis.Connection] = set()
        self._kept: IdleConnections[redis.Connection] = IdleConnections(
            self._connect,
            lambda connection: connection.disconnect(),
            _socket_of if at_least(2, 15) else None,
            most(),
            idle_s=idle_s,
            reap_every_s=_REAPED_EVERY_S,
        )

    def execute_command(self, *words: Any, **options: Any) -> Any:
        """Raises redis.RedisError: what the last try met."""
        for number in range(_RETRIES + 1):
            if number:
                time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**number)))
            try:
                return self._once(*words, **options)
            except redis.AuthenticationError:
                raise
            except _TROUBLE as failure:
                trouble = failure
        if isinstance(trouble, redis.RedisError):
            raise trouble
        raise redis.ConnectionError(str(trouble)) from trouble

    def leave_all_but(self, primary: Address) -> None:
        """Close what leads elsewhere, whoever waits there for an answer."""
        self._kept.drop(lambda connection: _address(connection) != primary)
        for connection in [each for each in list(self._lent) if _address(each) != primary]:
            _end(connection)

    def _once(self, *words: Any, **options: Any) -> Any:
        if not self._turns.acquire(timeout=_TURN_TIMEOUT_S):
            raise redis.TimeoutError("redis: connection pool timeout")
        try:
            with self._kept.lent() as connection:
                self._lent.add(connection)
                try:
                    connection.send_command(*words)
                    return self.parse_response(connection, words[0], **options)
                except redis.ReadOnlyError:
                    raise
                except redis.ResponseError as refused:
                    # The connection is as good as before.
                    refusal = refused
                finally:
                    self._lent.discard(connection)
        finally:
            self._turns.release()
        raise refusal

    def _connect(self) -> redis.Connection:
        for number in range(_DIALS):
            try:
                host, port = self._primary()
                connection = self._kind(host=host, port=port, **self._settings)
                connection.connect()
                return connection
            except redis.AuthenticationError:
                raise
            except (redis.ConnectionError, OSError):
                if number == _DIALS - 1:
                    raise
                time.sleep(_BETWEEN_DIALS_S)
        raise AssertionError("it was tried at least once")


class Sentinels:
    """Who is primary, by one Sentinel: the first of the list that answers. It is asked for each new connection, and
    tells by itself when another takes over.

    While it does not answer it is waited for, as for any other Redis; then the next is taken.
    """

    def __init__(
        self, addresses: Sequence[Address], primary: str, settings: dict[str, Any], *, tls: bool
    ) -> None:
        """`primary` is the name that they know it by; `settings` are for connections to them."""
        self._addresses, self._name = list(addresses), primary
        self._settings, self._tls = settings, tls
        self._listened_to: Client | None = None
        self._address: Address | None = None
        self._lock = threading.Lock()
        self.on_switch: Callable[[Address], None] = lambda primary: None

    def primary(self) -> Address:
        """Raises redis.ConnectionError when none of them says it."""
        with self._lock:
            sentinel = self._listened_to
        if sentinel is not None:
            with suppress(redis.RedisError):
                return self._switched(self._asked(sentinel))
        with self._lock:
            if self._listened_to is not sentinel and self._listened_to is not None:
                with suppress(redis.RedisError):
                    return self._asked(self._listened_to)
            self._listened_to = None
            for address in self._addresses:
                sentinel = Client(partial(_same, address), self._settings, tls=self._tls)
                try:
                    found = self._asked(sentinel)
                except redis.RedisError:
                    continue
                self._addresses.remove(address)
                self._addresses.insert(0, address)
                self._listened_to = sentinel
                listener = threading.Thread(target=self._listen, args=(sentinel, address), daemon=True)
                listener.start()
                break
            else:
                raise redis.ConnectionError("redis: all sentinels specified in configuration are unreachable")
        return self._switched(found)

    def _asked(self, sentinel: Client) -> Address:
        answer = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self._name)
        if not answer:
            raise redis.ConnectionError(f"redis: nil: no primary is called {self._name}")
        host, port = answer
        return _text(host), int(port)

    def _switched(self, primary: Address) -> Address:
        with self._lock:
            is_new, self._address = primary != self._address, primary
        if is_new:
            self.on_switch(primary)
        return primary

    def _listen(self, sentinel: Client, address: Address) -> None:
        settings = self._settings | {"socket_connect_timeout": DIAL_TIMEOUT_S, "ssl": self._tls}
        while self._listened_to is sentinel:
            try:
                with redis.Redis(*address, **settings).pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(_SWITCHED)
                    for message in channel.listen():
                        name, _, _, host, port = _text(message["data"]).split()
                        if name == self._name and self._listened_to is sentinel:
                            self._switched((host, int(port)))
            except (redis.RedisError, OSError):
                time.sleep(_BETWEEN_DIALS_S or 0.1)


def _address(connection: redis.Connection) -> Address:
    return connection.host, connection.port


def _same(address: Address) -> Address:
    return address


def _socket_of(connection: redis.Connection) -> socket.socket | None:
    return connection._sock


def _end(connection: redis.Connection) -> None:
    """Under whoever waits for its answer, who then knows that there will be none."""
    if end := _socket_of(connection):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
