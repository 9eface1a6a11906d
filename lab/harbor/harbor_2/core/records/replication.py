"""Replication rules and what became of their runs, as somebody wrote them into the database: nothing runs here."""

import json
from typing import Any

from ...database import Database, Row
from . import registries
from .moments import moment

VENDOR = "REPLICATION"
_LOCAL = {"id": 0, "name": "Local", "type": "harbor", "url": ""}
_STATUSES = {"Success": "Succeed", "Error": "Failed", "Stopped": "Stopped"}
"""As the API of replication calls those of executions; what has not ended is InProgress."""


def rules(database: Database, *, limit: int, offset: int) -> tuple[list[Row], int]:
    total = database.count("SELECT COUNT(*) AS n FROM replication_policy")
    return database.rows(
        "SELECT * FROM replication_policy ORDER BY id LIMIT %s OFFSET %s", limit, offset
    ), total


def rule_document(database: Database, rule: Row) -> dict[str, Any]:
    ends = {
        name: registries.document(found) if (found := _registry(database, rule[f"{name}_id"])) else _LOCAL
        for name in ("src_registry", "dest_registry")
    }
    return {
        "creation_time": moment(rule["creation_time"]),
        "dest_namespace": rule["dest_namespace"] or "",
        **ends,
        "enabled": rule["enabled"],
        "id": rule["id"],
        "name": rule["name"],
        "trigger": json.loads(rule["trigger"]),
        "update_time": moment(rule["update_time"]),
    }


def runs(database: Database, rule_id: int | None, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The newest first."""
    chosen = "vendor_type = %s AND (%s::int IS NULL OR vendor_id = %s)"
    words = (VENDOR, rule_id, rule_id)
    total = database.count(f"SELECT COUNT(*) AS n FROM execution WHERE {chosen}", *words)
    rows = database.rows(
        f"""SELECT e.*, (SELECT COUNT(*) FROM task t WHERE t.execution_id = e.id) AS total,
            (SELECT COUNT(*) FROM task t WHERE t.execution_id = e.id AND t.status = 'Error') AS failed
            FROM execution e WHERE {chosen} ORDER BY e.start_time DESC, e.id DESC LIMIT %s OFFSET %s""",
        *words,
        limit,
        offset,
    )
    return rows, total


def run_document(run: Row) -> dict[str, Any]:
    return {
        "end_time": moment(run["end_time"]),
        "failed": run["failed"],
        "id": run["id"],
        "policy_id": run["vendor_id"],
        "start_time": moment(run["start_time"]),
        "status": _STATUSES.get(run["status"], "InProgress"),
        "status_text": run["status_message"],
        "total": run["total"],
        "trigger": run["trigger"].lower(),
    }


def _registry(database: Database, registry_id: int) -> Row | None:
    return registries.by_id(database, registry_id) if registry_id else None
