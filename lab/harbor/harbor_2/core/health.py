"""The health of everything that core needs, as each core sees it.

It is sampled every 10 s, one thread a component, so what is told may be that old. Something that refuses is seen; of
something that hangs the last sample goes on being told, however old.
"""

import http.client
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from .. import http_client
from ..database import Database, DatabaseError, describe
from ..redis_client import RedisError
from ..redis_client import describe as describe_redis
from .settings import Settings

INTERVAL_S = 10.0
_TIMEOUT_S = 60.0

Check = Callable[[], str]
"""What is wrong, empty when nothing is."""


class Health:
    def __init__(self, checks: dict[str, Check], interval_s: float = INTERVAL_S) -> None:
        self._checks = checks
        self._interval_s = interval_s
        self._wrong = dict.fromkeys(checks, "unknown status")

    def start(self) -> None:
        for name in self._checks:
            threading.Thread(target=self._sample, args=(name,), name=f"health of {name}", daemon=True).start()

    def document(self) -> dict[str, Any]:
        """As the API gives it."""
        components = [
            {"error": wrong, "name": name, "status": "unhealthy"}
            if wrong
            else {"name": name, "status": "healthy"}
            for name, wrong in sorted(self._wrong.items())
        ]
        status = "unhealthy" if any(self._wrong.values()) else "healthy"
        return {"components": components, "status": status}

    def _sample(self, name: str) -> None:
        while True:
            self._wrong[name] = self._checks[name]()
            time.sleep(self._interval_s)


def checks(settings: Settings, database: Database, store: redis.Redis | None) -> dict[str, Check]:
    """One for each component; of Redis only where it is used.

    Each has a connection of its own, each time; only that to the registry is kept, as recorded.
    """
    registry = http_client.Transport(settings.registry_url)
    found: dict[str, Check] = {
        "core": lambda: "",
        "database": lambda: _database(database),
        "jobservice": lambda: _url(f"{settings.jobservice_url}/api/v1/stats"),
        "portal": lambda: _url(settings.portal_url),
        "registry": lambda: _url(f"{settings.registry_url}/", registry.send),
        "registryctl": lambda: _url(f"{settings.registryctl_url}/api/health"),
    }
    if store is not None:
        found["redis"] = lambda: _redis(store)
    return found


def _database(database: Database) -> str:
    try:
        database.rows("SELECT 1")
    except DatabaseError as failure:
        return f'failed to run SQL "SELECT 1": {describe(failure)}'
    return ""


def _redis(store: redis.Redis) -> str:
    try:
        store.ping()
    except RedisError as failure:
        return describe_redis(failure)
    return ""


def _url(url: str, send: Callable[..., http_client.Reply] = http_client.send) -> str:
    try:
        reply = send("GET", url, timeout_s=_TIMEOUT_S)
    except (OSError, http.client.HTTPException) as failure:
        return f"failed to check health: {http_client.describe('GET', url, failure)}"
    if reply.status != 200:
        return (
            f"received unexpected status code: {reply.status} {reply.body.decode(errors='replace')}".strip()
        )
    return ""
