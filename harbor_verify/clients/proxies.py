"""The proxies that this machine's environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as programs in Go take them.

The front door of Harbor is asked without any; an API server, and an object store that clients are sent to, may be
reached by one alone.
"""

import os
import socket
from functools import cache
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies

from harbor_verify.model.addresses import DEFAULT_PORTS, is_loopback

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


def of_environment(url: str) -> str | None:
    """By the scheme of the URL; none for the loopback, nor for what NO_PROXY names.

    Source: Go, net/http.ProxyFromEnvironment. `requests` takes a proxy to the loopback, too.
    """
    parts = urlsplit(url)
    name = f"{parts.scheme}_proxy"
    proxy = os.environ.get(name) or os.environ.get(name.upper())
    if not proxy or is_loopback(parts.hostname or ""):
        return None
    return None if should_bypass_proxies(url, no_proxy=no_proxy()) else proxy


def no_proxy() -> str:
    """What needs none, as a list with commas; empty where nothing is said."""
    return os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""


def way_to(url: str, *, timeout_s: float) -> dict[str, str]:
    """By which proxy a URL is asked, as `requests` takes it: the environment's, where nothing else leads there."""
    proxy, parts = of_environment(url), urlsplit(url)
    if not proxy:
        return {}
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return {} if _is_reached(parts.hostname or "", port, timeout_s) else {parts.scheme: proxy}


@cache
def _is_reached(host: str, port: int, timeout_s: float) -> bool:
    """Once for each: what a firewall drops takes the whole time."""
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True
