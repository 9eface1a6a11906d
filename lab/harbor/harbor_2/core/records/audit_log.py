"""What somebody has done, as the audit log of Harbor lists it.

From 2.13 on Harbor writes into another table with an API of its own, which is left out: the old list stays as it is.
"""

from typing import Any

from ...database import Database, Row
from ...version import at_least
from .moments import moment


def add(
    database: Database, username: str, project_id: int, operation: str, resource_type: str, resource: str
) -> None:
    if at_least(2, 13):
        return
    database.change(
        """INSERT INTO audit_log (project_id, operation, resource_type, resource, username)
            VALUES (%s, %s, %s, %s, %s)""",
        project_id,
        operation,
        resource_type,
        resource,
        username,
    )


def listing(database: Database, *, limit: int, offset: int) -> tuple[list[Row], int]:
    total = database.count("SELECT COUNT(*) AS n FROM audit_log")
    return database.rows("SELECT * FROM audit_log ORDER BY id DESC LIMIT %s OFFSET %s", limit, offset), total


def document(entry: Row) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "op_time": moment(entry["op_time"]),
        "operation": entry["operation"],
        "resource": entry["resource"],
        "resource_type": entry["resource_type"],
        "username": entry["username"],
    }
