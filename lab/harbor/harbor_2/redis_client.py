"""Connections to Redis from the URLs that the chart writes, with a Sentinel or without.

Core's are kept as go-redis keeps them (`redis_pool`). Jobservice's have no time-outs but those that Harbor sets: with
Sentinels 30 s to connect and 10 s to read, and none at all without.
"""

import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.sentinel import Sentinel

from . import authorities, redis_pool

RedisError = redis.RedisError

_JOBS_READ_TIMEOUT_S = 10.0
_JOBS_CONNECT_TIMEOUT_S = 30.0
_ELSEWHERE = "redis://127.0.0.1:6379/0"
"""Where the real client looks for a Redis whose URL it does not understand."""


@dataclass(frozen=True)
class _Place:
    """What a URL tells. `primary` is the name that the Sentinels know it by; empty: `hosts` are Redis itself."""

    hosts: list[tuple[str, int]]
    primary: str
    tls: bool
    settings: dict[str, Any]
    idle_s: float


def connect(url: str) -> redis.Redis:
    """Core's client, with a pool of its own. It connects when it is used first, so nothing is raised here.

    `url` is redis[s]://[user]:password@host[:port]/[database] or
    redis[s]+sentinel://[user]:password@host:port[,host:port]/master/[database], both with ?idle_timeout_seconds=…
    Whatever has no scheme is not understood, and Redis is looked for on 127.0.0.1.
    """
    place = _place(url)
    if not place.primary:
        return redis_pool.Client(lambda: place.hosts[0], place.settings, tls=place.tls, idle_s=place.idle_s)
    sentinels = redis_pool.Sentinels(place.hosts, place.primary, _trust(place.tls), tls=place.tls)
    client = redis_pool.Client(sentinels.primary, place.settings, tls=place.tls, idle_s=place.idle_s)
    sentinels.on_switch = client.leave_all_but
    return client


def connect_for_jobs(url: str) -> redis.Redis:
    """Jobservice's client; as `connect`."""
    place = _place(url)
    secured: dict[str, Any] = {"ssl": True} if place.tls else {}
    if not place.primary:
        host, port = place.hosts[0]
        return redis.Redis(host, port, **place.settings, **secured, **_AGAIN)
    timeouts = {
        "socket_timeout": _JOBS_READ_TIMEOUT_S,
        "socket_connect_timeout": _JOBS_CONNECT_TIMEOUT_S,
    }
    directory = Sentinel(place.hosts, sentinel_kwargs={**timeouts, **secured, **_trust(place.tls)})
    return directory.master_for(place.primary, **place.settings, **timeouts, **secured, **_AGAIN)


def without_password(url: str) -> str:
    """As the URL stands in log lines."""
    return re.sub(r"(://[^:@/]*:)[^@]*@", r"\1xxxxx@", url)


def describe(error: Exception) -> str:
    """A failure in one line."""
    return str(error).replace("\n", " ") or type(error).__name__


def _place(url: str) -> _Place:
    scheme, _, rest = (url if "://" in url else _ELSEWHERE).partition("://")
    parts = urlsplit(f"redis://{rest}")
    credentials, _, addresses = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    by_sentinel = scheme.endswith("+sentinel")
    primary, _, database = (
        parts.path.strip("/").partition("/") if by_sentinel else ("", "", parts.path.strip("/"))
    )
    tls = scheme.startswith("rediss")
    idle = parse_qs(parts.query).get("idle_timeout_seconds", [""])[0]
    return _Place(
        [_address(text, 26379 if by_sentinel else 6379) for text in addresses.split(",")],
        primary,
        tls,
        {
            "username": unquote(user) or None,
            "password": unquote(password) or None,
            "db": int(database or 0),
            **_trust(tls),
        },
        float(idle or redis_pool.IDLE_S),
    )


def _trust(tls: bool) -> dict[str, Any]:
    """TLS is for the Sentinels as well."""
    return {"ssl_ca_certs": authorities.file(), "ssl_check_hostname": True} if tls else {}


def _address(text: str, otherwise: int) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port or otherwise)


# One more attempt on a new connection: those that lay idle while Redis was restarted are worth nothing, and those to
# a master that has become a replica neither.
_AGAIN: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        socket.TCP_KEEPIDLE: 15,
        socket.TCP_KEEPINTVL: 15,
        socket.TCP_KEEPCNT: 4,
    },
    "retry_on_error": [redis.ConnectionError, redis.ReadOnlyError],
    "max_connections": 1000,
}
