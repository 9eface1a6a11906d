"""The jobs that Harbor runs for itself, beside the garbage collection: each is small here, and ends."""

from typing import Any

from ..database import Database
from .logs import JobLog

_KEPT = 50
"""Executions of one kind (and one policy) that are kept."""


def purge_audit_log(database: Database, parameters: dict[str, Any], log: JobLog) -> dict[str, Any]:
    """Entries older than so many hours; in a dry run they are counted only. Raises DatabaseError."""
    hours, dry_run = int(parameters.get("audit_retention_hour", 0)), bool(parameters.get("dry_run"))
    old = "FROM audit_log WHERE op_time < CURRENT_TIMESTAMP - make_interval(hours => %s)"
    log.info(f"Purge audit job start, audit_retention_hour: {hours}, dry_run: {str(dry_run).lower()}")
    count = database.count(f"SELECT COUNT(*) AS n {old}", hours)
    if not dry_run:
        database.change(f"DELETE {old}", hours)
    log.info(f"Purge operation parameter, purged {count} rows of audit logs")
    return {}


def sweep_executions(database: Database, parameters: dict[str, Any], log: JobLog) -> dict[str, Any]:
    """All but the newest of each kind, of those that have ended. Raises DatabaseError."""
    old = """SELECT id FROM (SELECT id, status, row_number() OVER
        (PARTITION BY vendor_type, vendor_id ORDER BY id DESC) AS place
        FROM execution WHERE vendor_type <> 'SCHEDULER') each WHERE place > %s AND status <> 'Running'"""
    database.change(f"DELETE FROM task WHERE execution_id IN ({old})", _KEPT)
    database.change(f"DELETE FROM execution WHERE id IN ({old})", _KEPT)
    log.info("end to sweep execution")
    return {}


def clean_up_artifacts(database: Database, parameters: dict[str, Any], log: JobLog) -> dict[str, Any]:
    """Of exports, which the stand-in does without."""
    log.info("system artifact clean up job completed, nothing to clean up")
    return {}
