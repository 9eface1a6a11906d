"""Who is what in a project."""

from typing import Any

from ...database import Database, Row

ADMINISTRATOR, DEVELOPER, GUEST, MAINTAINER, LIMITED_GUEST = 1, 2, 3, 4, 5
NAMES = {
    ADMINISTRATOR: "projectAdmin",
    DEVELOPER: "developer",
    GUEST: "guest",
    MAINTAINER: "maintainer",
    LIMITED_GUEST: "limitedGuest",
}

ACTIONS = {
    ADMINISTRATOR: {"pull", "push", "delete"},
    MAINTAINER: {"pull", "push", "delete"},
    DEVELOPER: {"pull", "push"},
    GUEST: {"pull"},
    LIMITED_GUEST: {"pull"},
}
"""What each role may do with the repositories of its project."""

_SELECT = """SELECT b.id, b.project_id, b.entity_id, b.role, u.username
    FROM project_member b JOIN harbor_user u ON u.user_id = b.entity_id WHERE b.entity_type = 'u'"""


def role(database: Database, project_id: int, user_id: int) -> int | None:
    row = database.row(
        "SELECT role FROM project_member WHERE project_id = %s AND entity_id = %s AND entity_type = 'u'",
        project_id,
        user_id,
    )
    return row["role"] if row else None


def listing(
    database: Database, project_id: int, *, name_like: str = "", limit: int, offset: int
) -> tuple[list[Row], int]:
    rows = database.rows(
        f"{_SELECT} AND b.project_id = %s AND position(%s in u.username) > 0 ORDER BY u.username",
        project_id,
        name_like,
    )
    return rows[offset : offset + limit], len(rows)


def by_id(database: Database, project_id: int, member_id: int) -> Row | None:
    return database.row(f"{_SELECT} AND b.project_id = %s AND b.id = %s", project_id, member_id)


def counts(database: Database, project_id: int) -> dict[int, int]:
    """Members by role."""
    rows = database.rows(
        "SELECT role, COUNT(*) AS n FROM project_member WHERE project_id = %s GROUP BY role", project_id
    )
    return {row["role"]: row["n"] for row in rows}


def add(database: Database, project_id: int, user_id: int, role_id: int) -> int:
    """Return the membership's id. Raises Duplicate when that user is a member."""
    return database.insert(
        "INSERT INTO project_member (project_id, entity_id, role) VALUES (%s, %s, %s) RETURNING id",
        project_id,
        user_id,
        role_id,
    )


def change(database: Database, member_id: int, role_id: int) -> None:
    database.change(
        "UPDATE project_member SET role = %s, update_time = CURRENT_TIMESTAMP WHERE id = %s",
        role_id,
        member_id,
    )


def remove(database: Database, member_id: int) -> None:
    database.change("DELETE FROM project_member WHERE id = %s", member_id)


def document(member: Row) -> dict[str, Any]:
    return {
        "entity_id": member["entity_id"],
        "entity_name": member["username"],
        "entity_type": "u",
        "id": member["id"],
        "project_id": member["project_id"],
        "role_id": member["role"],
        "role_name": NAMES[member["role"]],
    }
