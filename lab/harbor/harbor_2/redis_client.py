"""Connections to Redis from the URLs that the chart writes, with a Sentinel or without."""

import re
import socket
from urllib.parse import unquote, urlsplit

import redis
from redis.sentinel import Sentinel

from . import authorities

RedisError = redis.RedisError

READ_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
_ELSEWHERE = "127.0.0.1:6379"
"""Where the real client looks for a Redis whose URL it does not understand."""


def connect(url: str) -> redis.Redis:
    """A client with a pool of its own. It connects when it is used first, so nothing is raised here.

    `url` is redis[s]://[user]:password@host[:port]/[database] or
    redis[s]+sentinel://[user]:password@host:port[,host:port]/master/[database], both with ?options that do not matter.
    Whatever has no scheme is not understood, and Redis is looked for on 127.0.0.1.
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return _direct(f"redis://{_ELSEWHERE}/0")
    if scheme.endswith("+sentinel"):
        return _by_sentinel(scheme.removesuffix("+sentinel"), rest)
    return _direct(url.partition("?")[0])


def without_password(url: str) -> str:
    """As the URL stands in log lines."""
    return re.sub(r"(://[^:@/]*:)[^@]*@", r"\1xxxxx@", url)


def describe(error: Exception) -> str:
    """A failure in one line."""
    return str(error).replace("\n", " ") or type(error).__name__


def _direct(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, **_SETTINGS, **_trust(url.partition("://")[0]))


def _by_sentinel(scheme: str, rest: str) -> redis.Redis:
    hosts = urlsplit(f"redis://{rest}")
    credentials, _, addresses = hosts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    master, _, database = hosts.path.strip("/").partition("/")
    sentinels = [_address(text) for text in addresses.split(",")]
    timeouts = {"socket_timeout": CONNECT_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
    # TLS is for the Sentinels as well.
    secured = {"ssl": True, **_trust(scheme)} if scheme == "rediss" else {}
    directory = Sentinel(sentinels, sentinel_kwargs=timeouts | secured)
    settings = {
        **_SETTINGS,
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "db": int(database or 0),
        **secured,
    }
    return directory.master_for(master, **settings)


def _trust(scheme: str) -> dict[str, object]:
    return {"ssl_ca_certs": authorities.file(), "ssl_check_hostname": True} if scheme == "rediss" else {}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port or 26379)


# One more attempt on a new connection: those that lay idle while Redis was restarted are worth nothing, and those to
# a master that has become a replica neither.
_SETTINGS = {
    "socket_timeout": READ_TIMEOUT_S,
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "socket_keepalive_options": {
        socket.TCP_KEEPIDLE: 15,
        socket.TCP_KEEPINTVL: 15,
        socket.TCP_KEEPCNT: 4,
    },
    "retry_on_error": [redis.ConnectionError, redis.ReadOnlyError],
    "max_connections": 1000,
}
