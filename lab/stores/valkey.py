"""Valkey, which many run in the place of Redis: Debian has it in the backports of the lab's release."""

from pathlib import Path

from lab import settings
from lab.errors import LabError
from lab.programs import backports
from lab.stores import redis_sentinel


def server() -> Path:
    """The program, which is fetched once. Raises CommandFailed, LabError."""
    return backports.unpacked("valkey", ("valkey-server", "valkey-tools")) / "usr" / "bin" / "valkey-server"


def healthy() -> str:
    """What serves, as a sentence. Raises CommandFailed, LabError when it is another program."""
    for name in redis_sentinel.DATA_NODES:
        told = redis_sentinel.redis_cli(settings.REDIS[name], redis_sentinel.PORT, "INFO", "server")
        fields = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
        if fields.get("server_name") != "valkey":
            raise LabError(f"{name} is no Valkey, but a Redis {fields.get('redis_version')}")
    return f"the session store is Valkey {fields['valkey_version']}"
