"""Who did what: the access log."""

from typing import Any

from ...database import Database, Row
from ..moments import moment


def add(
    database: Database, username: str, project_id: int, repository: str, tag: str, operation: str
) -> None:
    database.change(
        """INSERT INTO access_log (username, project_id, repo_name, repo_tag, guid, operation, op_time)
            VALUES (%s, %s, %s, %s, '', %s, NOW())""",
        username,
        project_id,
        repository,
        tag,
        operation,
    )


def count_pulls(database: Database, repository: str) -> int:
    return database.count(
        "SELECT COUNT(*) AS n FROM access_log WHERE repo_name = %s AND operation = 'pull'", repository
    )


def listing(
    database: Database,
    *,
    project_id: int | None = None,
    member_id: int | None = None,
    limit: int,
    offset: int,
) -> tuple[list[Row], int]:
    """Entries of one project or of somebody's projects (both None: of all), the latest first; and how many."""
    conditions, arguments = ["1 = 1"], []
    if project_id is not None:
        conditions.append("project_id = %s")
        arguments.append(project_id)
    if member_id is not None:
        conditions.append("project_id IN (SELECT project_id FROM project_member WHERE user_id = %s)")
        arguments.append(member_id)
    condition = " AND ".join(conditions)
    total = database.count(f"SELECT COUNT(*) AS n FROM access_log WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT * FROM access_log WHERE {condition} ORDER BY op_time DESC, log_id LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def document(entry: Row) -> dict[str, Any]:
    """As the API gives it."""
    return {
        "log_id": entry["log_id"],
        "username": entry["username"],
        "project_id": entry["project_id"],
        "repo_name": entry["repo_name"],
        "repo_tag": entry["repo_tag"],
        "guid": entry["guid"] or "",
        "operation": entry["operation"],
        "op_time": moment(entry["op_time"]),
    }
