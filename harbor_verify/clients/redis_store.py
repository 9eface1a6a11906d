"""The Redis that Harbor keeps its sessions in, asked with Harbor's own password; read only."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import redis
from redis.sentinel import Sentinel

from harbor_verify.errors import StoreRefused
from harbor_verify.model.stores import SessionStore


class RedisStore:
    """One connection to the store's own database. Every method but `close` raises StoreRefused."""

    def __init__(
        self,
        store: SessionStore,
        address: str,
        *,
        timeouts_s: tuple[float, float],
        sentinels: Sequence[str] = (),
    ) -> None:
        """`address` (HOST:PORT) leads to `store` from here; where `sentinels` (HOST:PORT) are given, they say where the
        primary is that the store names. Connects at the first question.
        """
        self._what = f"Redis at {address}, database {store.database}"
        settings = {
            "db": store.database,
            "username": store.user or None,
            "password": store.password or None,
            "ssl": store.tls,
            "client_name": "harbor-verify",
            **_patience(timeouts_s),
        }
        self._sentinel: Sentinel | None = None
        if sentinels:
            self._what = f"Redis primary {store.primary} of the Sentinels {', '.join(sentinels)}"
            self._sentinel = Sentinel(
                [_host_and_port(each) for each in sentinels], sentinel_kwargs=_patience(timeouts_s)
            )
            self._client = self._sentinel.master_for(store.primary, **settings)
        else:
            host, port = _host_and_port(address)
            self._client = redis.Redis(host=host, port=port, **settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()
        for sentinel in self._sentinel.sentinels if self._sentinel else ():
            sentinel.close()

    def time_to_live_s(self, key: str) -> int | None:
        """Seconds that a key has left, -1 when it stays for ever, None when there is no such key."""
        left = self._ask(self._client.ttl, key)
        return None if left == -2 else int(left)

    def kind_of(self, key: str) -> str:
        """The type of a key: string, hash, …; none."""
        return self._ask(self._client.type, key).decode()

    def facts(self, section: str) -> dict[str, Any]:
        """INFO of a section: replication, persistence, …"""
        return self._ask(self._client.info, section)

    def _ask(self, command: Any, *words: str) -> Any:
        try:
            return command(*words)
        except (redis.RedisError, OSError) as refused:
            raise StoreRefused(f"{self._what}: {refused}") from refused


def _patience(timeouts_s: tuple[float, float]) -> dict[str, Any]:
    """How every connection is made: with deadlines, and nothing tried again behind one's back."""
    return {
        "socket_connect_timeout": timeouts_s[0],
        "socket_timeout": timeouts_s[1],
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        # The one that Redis before 6 speaks too: the first Harbors need no newer.
        "protocol": 2,
    }


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
