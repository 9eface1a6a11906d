"""Harbor's settings, as the ui and the jobservice get them from the adminserver."""

import http.client
import json
import os
import threading
import time
from typing import Any

from .. import log
from ..termination import Fatal
from . import dependencies, web_client


class ConfigurationUnavailable(Exception):
    """The adminserver does not give the settings; the text says why."""


class Configuration:
    """The settings, asked for anew when the last answer is older than they say themselves (cfg_expiration)."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret
        self._lock = threading.Lock()
        self._settings: dict[str, Any] = {}
        self._good_until_s = 0.0

    def current(self) -> dict[str, Any]:
        """The settings, at most cfg_expiration seconds old. Raises ConfigurationUnavailable."""
        with self._lock:
            if time.monotonic() < self._good_until_s:
                return self._settings
        return self.fresh()

    def fresh(self) -> dict[str, Any]:
        """The settings as they are now. Raises ConfigurationUnavailable."""
        settings = self.ask("/api/configurations")
        with self._lock:
            self._settings = settings
            self._good_until_s = time.monotonic() + settings.get("cfg_expiration", 0)
        return settings

    def ask(self, path: str) -> dict[str, Any]:
        """What the adminserver answers to a GET, parsed. Raises ConfigurationUnavailable."""
        url = f"{self.url}{path}"
        try:
            reply = web_client.send("GET", url, {"Cookie": f"secret={self._secret}"})
        except (OSError, http.client.HTTPException) as failure:
            raise ConfigurationUnavailable(f'Get "{url}": {failure}') from failure
        if reply.status != 200:
            raise ConfigurationUnavailable(f"{reply.status} {reply.reason}")
        return json.loads(reply.body)


def load(key_path: str) -> Configuration:
    """Wait for the adminserver and get the first settings. Raises Fatal."""
    url = os.environ.get("ADMIN_SERVER_URL") or "http://adminserver"
    log.info("initializing configurations...")
    log.info(f"key path: {os.environ.get('KEY_PATH') or key_path}")
    log.info(f"initializing client for adminserver {url} ...")
    try:
        dependencies.wait_for(*dependencies.host_and_port(url))
    except TimeoutError as failure:
        raise Fatal(f"failed to initialize configurations: failed to ping adminserver: {failure}") from None
    configuration = Configuration(url, os.environ.get("UI_SECRET", ""))
    try:
        configuration.fresh()
    except ConfigurationUnavailable as failure:
        raise Fatal(f"failed to initialize configurations: failed to get configurations: {failure}") from None
    log.info("configurations initialization completed")
    return configuration
