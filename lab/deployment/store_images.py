"""The images of stores that run as pods beside Harbor, for the layouts that have them: PostgreSQL, Redis, PgBouncer.

The stores carry the names of the official chart's own, and start as those do: by the same variables, as the same
users. They are large, and made and loaded when a layout first asks for them.
"""

from pathlib import Path

from lab.deployment import images
from lab.kubernetes import nodes

DATABASE = "goharbor/harbor-db:v2.15.2"
SESSION_STORE = "goharbor/redis-photon:v2.15.2"
DATABASE_USER = SESSION_STORE_USER = 999
"""As in the real images: the numbers that the chart lets them run as."""

POOLER = "pgbouncer/pgbouncer:1.18.0"
POOLER_CONFIGURATION = "/etc/pgbouncer"
_PACKAGES = ("postgresql-15", "redis-server")
_START_DATABASE = """#!/bin/sh
# Makes an empty database of this name the first time, and serves it.
set -eu
export PATH="$PATH:/usr/lib/postgresql/15/bin"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf %s "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username=postgres --pwfile=/tmp/password --auth=scram-sha-256 --auth-local=trust \\
        --encoding=UTF8 --no-sync >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "create database registry" | postgres --single -j postgres >/dev/null
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=300
"""
_DATABASE_HEALTH = """#!/bin/sh
exec /usr/lib/postgresql/15/bin/pg_isready --quiet --host=127.0.0.1
"""
_USERS = "root:x:0:0:root:/root:/bin/sh\nharbor:x:999:999::/tmp:/bin/sh\n"
"""initdb wants a name for whom it runs as."""


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ensure_pooler() -> None:
    """Make the image of PgBouncer, and load it as the others. Raises CommandFailed."""
    start = {"Cmd": ["pgbouncer", f"{POOLER_CONFIGURATION}/pgbouncer.ini"], "Env": [_PATH]}
    root = images.debian_layer("pooler", ("pgbouncer",))
    _load(images.archive("pooler", (images.Image(f"docker.io/{POOLER}", (root,), start),)))


def ensure() -> None:
    """Make the images of the stores, and load them into every node that has not got them. Raises CommandFailed."""
    root = images.debian_layer("stores", _PACKAGES)
    files = images.files_layer(
        "store-files",
        [
            ("docker-entrypoint.sh", _START_DATABASE.encode(), 0o755),
            ("docker-healthcheck.sh", _DATABASE_HEALTH.encode(), 0o755),
            ("etc/passwd", _USERS.encode(), 0o644),
        ],
    )
    redis = [
        "redis-server",
        "--bind",
        "*",
        "--protected-mode",
        "no",
        "--save",
        "900 1 300 10 60 10000",
        "--dir",
        "/var/lib/redis",
    ]
    archive = images.archive(
        "stores",
        (
            images.Image(
                f"docker.io/{DATABASE}",
                (root, files),
                {"Entrypoint": ["/docker-entrypoint.sh"], "Env": [_PATH], "StopSignal": "SIGINT"},
            ),
            images.Image(f"docker.io/{SESSION_STORE}", (root, files), {"Cmd": redis, "Env": [_PATH]}),
        ),
    )
    _load(archive)


def _load(archive: Path) -> None:
    for each in nodes.ALL.values():
        images.load(each, archive)
