"""Starting the exporter: it needs the database to start, and nothing else.

What it cannot find out it leaves out (health, queues), or calls 0 (what it counts in the database), as the real one.
"""

import http.client
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping

from ... import log, termination
from ...termination import Fatal
from .. import http_client, metrics, redis_client
from ..database import Database, DatabaseError, describe
from ..jobservice.jobs import Jobs
from ..metrics import Family, gauge
from ..redis_client import RedisError
from ..version import VERSION

_PUBLIC = "project_id IN (SELECT project_id FROM project_metadata WHERE name = 'public' AND value = 'true')"


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"exporter {VERSION}, a stand-in for goharbor/harbor-exporter")
    told = {
        name.removeprefix("HARBOR_"): value
        for name, value in os.environ.items()
        if name.startswith("HARBOR_")
    }
    database = _database(told)
    cached_s = float(told.get("EXPORTER_CACHE_TIME") or 0)
    url = f"{told.get('SERVICE_SCHEME', 'http')}://{told.get('SERVICE_HOST', '')}:{told.get('SERVICE_PORT', '80')}"
    jobs = Jobs(
        redis_client.connect_for_jobs(told.get("REDIS_URL", "")),
        f"{{{told.get('REDIS_NAMESPACE', '')}}}",
    )
    collectors = [
        _Cached(lambda: _health(url), cached_s),
        _Cached(lambda: _queues(jobs), cached_s),
        _Cached(lambda: _statistics(database), cached_s),
    ]
    metrics.tell(
        lambda: [family for each in collectors for family in each()],
        port=int(told.get("EXPORTER_PORT") or 8001),
        path=told.get("EXPORTER_METRICS_PATH") or "/metrics",
        page="<h1>Harbor Exporter</h1>",
    )
    while True:
        time.sleep(3600)


class _Cached:
    """What was found out is told for so long; that nothing was is not."""

    def __init__(self, collect: Callable[[], list[Family]], cached_s: float) -> None:
        self._collect, self._cached_s = collect, cached_s
        self._known: list[Family] = []
        self._until_s = 0.0

    def __call__(self) -> Iterable[Family]:
        if not self._known or time.monotonic() >= self._until_s:
            self._known = self._collect()
            self._until_s = time.monotonic() + self._cached_s
        return self._known


def _database(told: Mapping[str, str]) -> Database:
    """Raises Fatal."""
    try:
        database = Database(
            told.get("DATABASE_HOST", ""),
            int(told.get("DATABASE_PORT") or 5432),
            told.get("DATABASE_USERNAME", ""),
            told.get("DATABASE_PASSWORD", ""),
            told.get("DATABASE_DBNAME", ""),
            sslmode=told.get("DATABASE_SSLMODE") or "disable",
            most_idle=int(told.get("DATABASE_MAX_IDLE_CONNS") or 2),
            most_open=int(told.get("DATABASE_MAX_OPEN_CONNS") or 0),
        )
        database.rows("SELECT 1")
    except DatabaseError as failure:
        raise Fatal(f"failed to initialize database: {describe(failure)}") from None
    return database


def _health(url: str) -> list[Family]:
    asked = f"{url}/api/v2.0/health"
    try:
        report = json.loads(http_client.send("GET", asked).body)
        parts = {str(each["name"]): _is_well(each["status"]) for each in report["components"]}
        whole = _is_well(report["status"])
    except (OSError, http.client.HTTPException) as failure:
        log.error(f"request health info failed with err: {http_client.describe('GET', asked, failure)}")
        return []
    except (ValueError, KeyError, TypeError) as failure:
        log.error(f"failed to decode res.Body into healthResponse, error: {failure}")
        return []
    ups = [({"component": name}, value) for name, value in sorted(parts.items())]
    return [
        gauge("harbor_health", "Running status of Harbor", [({}, whole)]),
        gauge("harbor_up", "Running status of harbor component", ups),
    ]


def _queues(jobs: Jobs) -> list[Family]:
    try:
        found = jobs.queues()
    except RedisError as failure:
        log.error(f"redis: {redis_client.describe(failure)}")
        return []
    sizes = [({"type": each.name}, each.count) for each in found]
    waits = [({"type": each.name}, each.latency_s) for each in found]
    return [
        gauge("harbor_task_queue_latency", "how long ago the next job to be processed was enqueued", waits),
        gauge("harbor_task_queue_size", "Total number of tasks", sizes),
    ]


def _statistics(database: Database) -> list[Family]:
    projects = _count(database, "SELECT count(*) AS n FROM project WHERE NOT deleted")
    public = _count(database, f"SELECT count(*) AS n FROM project WHERE NOT deleted AND {_PUBLIC}")
    repositories = _count(database, "SELECT count(*) AS n FROM repository")
    of_public = _count(database, f"SELECT count(*) AS n FROM repository WHERE {_PUBLIC}")
    size = _count(database, "SELECT COALESCE(SUM(size), 0) AS n FROM blob")
    values = {
        "total_repo_amount": repositories,
        "public_repo_amount": of_public,
        "private_repo_amount": repositories - of_public,
        "total_project_amount": projects,
        "public_project_amount": public,
        "private_project_amount": projects - public,
        "total_storage_consumption": size,
    }
    return [gauge(f"harbor_statistics_{name}", name, [({}, value)]) for name, value in values.items()]


def _count(database: Database, sql: str) -> float:
    try:
        return float(database.count(sql))
    except DatabaseError as failure:
        log.error(f"get statistics error: {describe(failure)}")
        return 0.0


def _is_well(status: str) -> float:
    return 1.0 if status == "healthy" else 0.0
