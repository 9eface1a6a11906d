"""Starting jobservice."""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

from ... import log, termination
from ...web.server import serve
from .. import metrics, redis_client
from ..database import Database
from ..version import VERSION
from . import config, core_client, garbage_collection, upkeep
from .garbage_collection import Surroundings
from .jobs import Jobs
from .logs import DatabaseLogs, FileLogs, Logs
from .periodic import Periodic
from .service import Service
from .workers import Workers

_NAMES = [
    "AUDIT_LOGS_GDPR_COMPLIANT",
    "DEMO",
    "EXECUTION_SWEEP",
    "GARBAGE_COLLECTION",
    "IMAGE_GC",
    "IMAGE_REPLICATE",
    "IMAGE_SCAN",
    "IMAGE_SCAN_ALL",
    "P2P_PREHEAT",
    "PURGE_AUDIT_LOG",
    "REPLICATION",
    "RETENTION",
    "SCAN_DATA_EXPORT",
    "SCHEDULER",
    "SLACK",
    "SYSTEM_ARTIFACT_CLEANUP",
    "WEBHOOK",
]
"""What Harbor's jobservice announces. Here most are no more than a name."""


_at_work: list[Workers] = []


def start() -> None:
    termination.run(_main, finish=_finish)


def _finish() -> None:
    """What was begun is ended, as long as the real one waits for it."""
    for workers in _at_work:
        workers.finish()


def _main() -> None:
    log.info(f"jobservice {VERSION}, a stand-in for goharbor/harbor-jobservice")
    arguments = argparse.ArgumentParser()
    arguments.add_argument("-c", dest="config", type=Path, default=Path("/etc/jobservice/config.yml"))
    settings = config.load(arguments.parse_args().config)
    shared = core_client.settings(settings)
    database = _database(shared)
    logs: Logs = FileLogs(settings.log_folder) if settings.log_folder else DatabaseLogs(database)
    client = redis_client.connect_for_jobs(settings.redis_url)
    jobs = Jobs(client, settings.namespace)
    periodic = Periodic(client, settings.namespace, jobs)
    surroundings = Surroundings(
        database,
        (settings.registryctl_url or str(shared.get("registry_controller_url", ""))).rstrip("/"),
        settings.jobservice_secret,
    )
    known = {
        "EXECUTION_SWEEP": partial(upkeep.sweep_executions, database),
        "GARBAGE_COLLECTION": partial(garbage_collection.run, surroundings),
        "PURGE_AUDIT_LOG": partial(upkeep.purge_audit_log, database),
        "SYSTEM_ARTIFACT_CLEANUP": partial(upkeep.clean_up_artifacts, database),
    }
    _prepare(jobs)
    workers = Workers(settings, jobs, logs, known, _NAMES)
    _at_work.append(workers)
    workers.start()
    periodic.restore_soon(database, settings.core_url)
    periodic.start()
    log.info("Basic worker is started")
    if settings.metrics:
        port, path = settings.metrics
        metrics.tell(workers.families, port=port, path=path)
    service = Service(jobs, periodic, logs, list(known), settings)
    server = serve(service.answer, ("", settings.port), tls=settings.tls)
    log.info(f"API server is serving at {settings.port} with [{'https' if settings.tls else 'http'}] mode")
    server.serve_forever()


def _database(shared: dict[str, Any]) -> Database:
    return Database(
        str(shared["postgresql_host"]),
        int(shared["postgresql_port"]),
        str(shared["postgresql_username"]),
        str(shared["postgresql_password"]),
        str(shared["postgresql_database"]),
        sslmode=str(shared.get("postgresql_sslmode", "disable")),
        most_idle=int(shared.get("postgresql_max_idle_conns", 2)),
        most_open=int(shared.get("postgresql_max_open_conns", 0)),
    )


def _prepare(jobs: Jobs) -> None:
    """Waits as long as Redis is away: the real one neither answers nor ends then."""
    while True:
        try:
            jobs.prepare(_NAMES)
            return
        except redis_client.RedisError as failure:
            log.error(f"redis: {redis_client.describe(failure)}")
            time.sleep(1)
