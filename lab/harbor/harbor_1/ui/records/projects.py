"""Projects and their members."""

from typing import Any

from ...database import Database, Row
from ..moments import moment
from .patterns import containing

ADMINISTRATOR, DEVELOPER, GUEST = 1, 2, 3
"""Roles of a member."""

_COLUMNS = "project_id, owner_id, name, creation_time, update_time, deleted, public"
_VISIBLE = """(public = 1 OR %s OR
    project_id IN (SELECT project_id FROM project_member WHERE user_id = %s))"""


def by_id(database: Database, project_id: int) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM project WHERE project_id = %s AND deleted = 0", project_id)


def by_name(database: Database, name: str) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM project WHERE name = %s AND deleted = 0", name)


def listing(
    database: Database,
    *,
    sees_all: bool,
    user_id: int | None,
    name: str = "",
    owner: str = "",
    public: bool | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[Row], int]:
    """The projects that somebody sees, by name, and how many there are in all."""
    conditions = ["deleted = 0", _VISIBLE, "name LIKE %s"]
    arguments: list[Any] = [int(sees_all), user_id, containing(name)]
    if owner:
        conditions.append("owner_id = (SELECT user_id FROM user WHERE username = %s AND deleted = 0)")
        arguments.append(owner)
    if public is not None:
        conditions.append("public = %s")
        arguments.append(int(public))
    condition = " AND ".join(conditions)
    total = database.count(f"SELECT COUNT(*) AS n FROM project WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM project WHERE {condition} ORDER BY name LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def add(database: Database, name: str, owner_id: int, public: int) -> int:
    """The owner becomes its administrator; return the id."""
    with database.transaction() as cursor:
        cursor.execute(
            """INSERT INTO project (owner_id, name, public, deleted, creation_time, update_time)
                VALUES (%s, %s, %s, 0, NOW(), NOW())""",
            (owner_id, name, public),
        )
        project_id = int(cursor.lastrowid)
        cursor.execute(
            """INSERT INTO project_member (project_id, user_id, role, creation_time, update_time)
                VALUES (%s, %s, %s, NOW(), NOW())""",
            (project_id, owner_id, ADMINISTRATOR),
        )
    return project_id


def delete(database: Database, project_id: int) -> None:
    """Keep the row, and free the name."""
    database.change(
        """UPDATE project SET deleted = 1, name = CONCAT(name, '#', project_id), update_time = NOW()
            WHERE project_id = %s""",
        project_id,
    )


def set_public(database: Database, project_id: int, public: int) -> None:
    database.change(
        "UPDATE project SET public = %s, update_time = NOW() WHERE project_id = %s", public, project_id
    )


def why_not_deletable(database: Database, project_id: int) -> str:
    """Empty when it may be deleted."""
    for table, text in (
        ("repository", "the project contains repositories, can not be deleled"),
        ("replication_policy", "the project contains replication rules, can not be deleted"),
    ):
        if database.count(f"SELECT COUNT(*) AS n FROM {table} WHERE project_id = %s", project_id):
            return text
    return ""


def role(database: Database, project_id: int, user_id: int) -> int:
    """0 for who is no member."""
    member = database.row(
        "SELECT role FROM project_member WHERE project_id = %s AND user_id = %s", project_id, user_id
    )
    return int(member["role"]) if member else 0


def members(database: Database, project_id: int, username: str = "") -> list[Row]:
    """Those whose name contains `username`, as the API gives them."""
    return database.rows(
        """SELECT user.user_id, user.username, role.name AS role_name, role.role_id FROM project_member
            JOIN user USING (user_id) JOIN role ON role.role_id = project_member.role
            WHERE project_id = %s AND user.deleted = 0 AND username LIKE %s ORDER BY user.user_id""",
        project_id,
        containing(username),
    )


def add_member(database: Database, project_id: int, user_id: int, role_id: int) -> None:
    database.change(
        """INSERT INTO project_member (project_id, user_id, role, creation_time, update_time)
            VALUES (%s, %s, %s, NOW(), NOW())""",
        project_id,
        user_id,
        role_id,
    )


def remove_member(database: Database, project_id: int, user_id: int) -> None:
    database.change("DELETE FROM project_member WHERE project_id = %s AND user_id = %s", project_id, user_id)


def document(
    project: Row, *, role: int = 0, togglable: bool = False, repositories: int = 0
) -> dict[str, Any]:
    """As the API gives it."""
    return {
        "project_id": project["project_id"],
        "owner_id": project["owner_id"],
        "name": project["name"],
        "creation_time": moment(project["creation_time"]),
        "creation_time_str": "",
        "deleted": project["deleted"],
        "owner_name": "",
        "public": project["public"],
        "Togglable": togglable,
        "update_time": moment(project["update_time"]),
        "current_user_role_id": role,
        "repo_count": repositories,
        "enable_content_trust": False,
        "prevent_vulnerable_images_from_running": False,
        "prevent_vulnerable_images_from_running_severity": "",
        "automatically_scan_images_on_push": False,
    }
