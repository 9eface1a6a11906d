"""Projects: who sees them, and what they hold."""

from typing import Any

from ...database import Cursor, Database, Row, contains
from . import members
from .moments import NEVER, moment

_SELECT = """SELECT p.project_id, p.owner_id, p.registry_id, p.name, p.creation_time, p.update_time,
        u.username AS owner_name,
        COALESCE((SELECT m.value FROM project_metadata m WHERE m.project_id = p.project_id AND m.name = 'public'),
            'false') AS public,
        (SELECT w.id FROM cve_allowlist w WHERE w.project_id = p.project_id) AS allowlist_id,
        (SELECT COUNT(*) FROM repository r WHERE r.project_id = p.project_id) AS repo_count
    FROM project p JOIN harbor_user u ON u.user_id = p.owner_id"""
_IS_PUBLIC = """EXISTS (SELECT 1 FROM project_metadata m
    WHERE m.project_id = p.project_id AND m.name = 'public' AND m.value = 'true')"""
_HAS_MEMBER = """EXISTS (SELECT 1 FROM project_member b
    WHERE b.project_id = p.project_id AND b.entity_type = 'u' AND b.entity_id = %s)"""


def by_id(database: Database, project_id: int) -> Row | None:
    return database.row(f"{_SELECT} WHERE p.project_id = %s AND NOT p.deleted", project_id)


def by_name(database: Database, name: str) -> Row | None:
    return database.row(f"{_SELECT} WHERE p.name = %s AND NOT p.deleted", name)


def is_public(project: Row) -> bool:
    return bool(project["public"] == "true")


def listing(
    database: Database,
    *,
    sees_all: bool,
    user_id: int = 0,
    names: list[str] | None = None,
    name: str = "",
    name_like: str = "",
    owner: str = "",
    public: bool | None = None,
    limit: int,
    offset: int,
) -> tuple[list[Row], int]:
    """The projects that somebody may see, ordered by name, and how many there are in all.

    That is all of them, or the public ones and those that `user_id` is a member of, or that are among `names`.
    """
    conditions, arguments = ["NOT p.deleted"], []
    if not sees_all:
        conditions.append(f"({_IS_PUBLIC} OR {_HAS_MEMBER} OR p.name = ANY(%s))")
        arguments += [user_id, names or []]
    if name:
        conditions.append("p.name = %s")
        arguments.append(name)
    if name_like:
        conditions.append("p.name LIKE %s")
        arguments.append(contains(name_like))
    if owner:
        conditions.append("u.username = %s")
        arguments.append(owner)
    if public is not None:
        conditions.append(_IS_PUBLIC if public else f"NOT {_IS_PUBLIC}")
    where = " AND ".join(conditions)
    total = database.count(
        f"SELECT COUNT(*) AS n FROM project p JOIN harbor_user u ON u.user_id = p.owner_id WHERE {where}",
        *arguments,
    )
    rows = database.rows(
        f"{_SELECT} WHERE {where} ORDER BY p.name LIMIT %s OFFSET %s", *arguments, limit, offset
    )
    return rows, total


def add(database: Database, name: str, owner_id: int, *, public: bool, storage_limit: int) -> int:
    """A project of that owner, who administers it; `storage_limit` in bytes, -1: none.

    Returns the id. Raises Duplicate when the name is taken.
    """
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO project (owner_id, name) VALUES (%s, %s) RETURNING project_id", [owner_id, name]
        )
        project_id = int(cursor.fetchone()["project_id"])
        cursor.execute(
            "INSERT INTO project_metadata (project_id, name, value) VALUES (%s, 'public', %s)",
            [project_id, "true" if public else "false"],
        )
        cursor.execute(
            "INSERT INTO project_member (project_id, entity_id, role) VALUES (%s, %s, %s)",
            [project_id, owner_id, members.ADMINISTRATOR],
        )
        cursor.execute("INSERT INTO cve_allowlist (project_id) VALUES (%s)", [project_id])
        _add_quota(cursor, project_id, storage_limit)
    return project_id


def set_public(database: Database, project_id: int, public: bool) -> None:
    database.change(
        """INSERT INTO project_metadata (project_id, name, value) VALUES (%s, 'public', %s)
            ON CONFLICT (project_id, name) DO UPDATE SET value = EXCLUDED.value""",
        project_id,
        "true" if public else "false",
    )


def why_not_deletable(project: Row) -> str:
    """Empty when it may be deleted."""
    return "the project contains repositories, can not be deleted" if project["repo_count"] else ""


def delete(database: Database, project_id: int) -> None:
    """Keep the row, and free the name."""
    with database.transaction() as cursor:
        cursor.execute(
            """UPDATE project SET deleted = true, name = name || '#' || project_id,
                update_time = CURRENT_TIMESTAMP WHERE project_id = %s""",
            [project_id],
        )
        for table in ("project_member", "project_metadata", "cve_allowlist", "project_blob", "robot"):
            cursor.execute(f"DELETE FROM {table} WHERE project_id = %s", [project_id])
        for table in ("quota", "quota_usage"):
            cursor.execute(
                f"DELETE FROM {table} WHERE reference = 'project' AND reference_id = %s", [str(project_id)]
            )


def document(project: Row, *, roles: list[int] | None) -> dict[str, Any]:
    """As the API gives it. `roles` are the caller's; None for somebody who can have none."""
    return {
        "creation_time": moment(project["creation_time"]),
        **({"current_user_role_id": min(roles)} if roles else {}),
        "current_user_role_ids": roles,
        "cve_allowlist": {
            "creation_time": NEVER,
            "id": project["allowlist_id"],
            "items": [],
            "project_id": project["project_id"],
            "update_time": NEVER,
        },
        "metadata": {"public": project["public"]},
        "name": project["name"],
        "owner_id": project["owner_id"],
        "owner_name": project["owner_name"],
        "project_id": project["project_id"],
        **({"registry_id": project["registry_id"]} if project["registry_id"] else {}),
        "repo_count": project["repo_count"],
        "update_time": moment(project["update_time"]),
    }


def _add_quota(cursor: Cursor, project_id: int, storage_limit: int) -> None:
    cursor.execute(
        """INSERT INTO quota (reference, reference_id, hard)
            VALUES ('project', %s, jsonb_build_object('storage', %s::bigint))""",
        [str(project_id), storage_limit],
    )
    cursor.execute(
        "INSERT INTO quota_usage (reference, reference_id, used) VALUES ('project', %s, '{\"storage\": 0}')",
        [str(project_id)],
    )
