"""Robot accounts: who logs in as `robot$name` or `robot$project+name`, and what they may do."""

import time
from typing import Any

from ...database import Cursor, Database, Row
from . import passwords
from .moments import moment

PREFIX = "robot$"
SYSTEM, PROJECT = "system", "project"
ROLE_TYPE = "robotaccount"

_SECRET_LENGTH = 32
_DAY_S = 86400
_SELECT = """SELECT r.id, r.name, r.description, r.project_id, r.duration, r.expiresat, r.disabled, r.secret, r.salt,
        r.creator_ref, r.creator_type, r.creation_time, r.update_time, p.name AS project_name
    FROM robot r LEFT JOIN project p ON p.project_id = r.project_id"""


def by_id(database: Database, robot_id: int) -> Row | None:
    return database.row(f"{_SELECT} WHERE r.id = %s", robot_id)


def by_login(database: Database, login: str) -> Row | None:
    """`login` with the prefix. None when nobody is called so."""
    if not login.startswith(PREFIX):
        return None
    project, plus, name = login.removeprefix(PREFIX).rpartition("+")
    if plus:
        return database.row(f"{_SELECT} WHERE r.name = %s AND p.name = %s", name, project)
    return database.row(f"{_SELECT} WHERE r.name = %s AND r.project_id = 0", name)


def with_secret(database: Database, login: str, secret: str) -> Row | None:
    """The robot that logs in so: neither disabled nor expired. Its row has `permissions`."""
    robot = by_login(database, login)
    if robot is None or robot["disabled"] or _is_expired(robot):
        return None
    if not passwords.matches(secret, robot["salt"], robot["secret"]):
        return None
    return robot | {"permissions": permissions(database, robot["id"])}


def permissions(database: Database, robot_id: int) -> list[dict[str, Any]]:
    """`[{kind, namespace, access: [{resource, action}]}]`; namespace `*` is every project, `/` the system."""
    rows = database.rows(
        """SELECT pp.scope, pp.resource, pp.action, p.name AS project_name
            FROM role_permission rp JOIN permission_policy pp ON pp.id = rp.permission_policy_id
                LEFT JOIN project p ON pp.scope = '/project/' || p.project_id
            WHERE rp.role_type = %s AND rp.role_id = %s ORDER BY rp.id""",
        ROLE_TYPE,
        robot_id,
    )
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        if row["scope"] == "/system":
            key = ("system", "/")
        else:
            key = ("project", "*" if row["scope"] == "/project/*" else row["project_name"] or "")
        found.setdefault(key, []).append({"action": row["action"], "resource": row["resource"]})
    return [
        {"access": access, "kind": kind, "namespace": namespace}
        for (kind, namespace), access in found.items()
    ]


def allows(robot: Row, project: str, resource: str, action: str) -> bool:
    """Whether a robot of `with_secret` may do that in the project of that name; `resource` is repository, artifact …"""
    return any(
        permission["kind"] == "project"
        and permission["namespace"] in ("*", project)
        and {"action": action, "resource": resource} in permission["access"]
        for permission in robot["permissions"]
    )


def actions(robot: Row, project: str) -> set[str]:
    """What it may do with the repositories of a project: pull, push, delete."""
    return {action for action in ("pull", "push", "delete") if allows(robot, project, "repository", action)}


def covered(robot: Row) -> list[str]:
    """The projects it may do anything in; `*` for all."""
    return [permission["namespace"] for permission in robot["permissions"] if permission["kind"] == "project"]


def listing(database: Database, *, project_id: int, limit: int, offset: int) -> tuple[list[Row], int]:
    """Those of a project; of the system with 0."""
    rows = database.rows(f"{_SELECT} WHERE r.project_id = %s ORDER BY r.id", project_id)
    return rows[offset : offset + limit], len(rows)


def add(
    database: Database,
    *,
    name: str,
    project_id: int,
    description: str,
    duration: int,
    granted: list[dict[str, Any]],
    creator_id: int,
    secret: str = "",
) -> tuple[int, str]:
    """A robot of a project (0: of the system) that lives for `duration` days (-1: for ever).

    Returns the id and the secret, which nobody is told again. Raises Duplicate when the name is taken,
    LookupError with the name of a project in `granted` that is not there.
    """
    secret = secret or passwords.random_text(_SECRET_LENGTH)
    salt = passwords.new_salt()
    with database.transaction() as cursor:
        cursor.execute(
            """INSERT INTO robot (name, description, project_id, duration, expiresat, secret, salt, creator_ref)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [
                name,
                description,
                project_id,
                duration,
                _expiry(duration),
                passwords.hashed(secret, salt),
                salt,
                creator_id,
            ],
        )
        robot_id = int(cursor.fetchone()["id"])
        _grant(cursor, robot_id, granted)
    return robot_id, secret


def change(
    database: Database,
    robot: Row,
    *,
    description: str,
    disabled: bool,
    duration: int,
    granted: list[dict[str, Any]],
) -> None:
    """Raises LookupError as `add` does."""
    expires_at = robot["expiresat"] if duration == robot["duration"] else _expiry(duration)
    with database.transaction() as cursor:
        cursor.execute(
            """UPDATE robot SET description = %s, disabled = %s, duration = %s, expiresat = %s,
                update_time = CURRENT_TIMESTAMP WHERE id = %s""",
            [description, disabled, duration, expires_at, robot["id"]],
        )
        _grant(cursor, robot["id"], granted)


def renew_secret(database: Database, robot_id: int, secret: str = "") -> str:
    """Return the new one."""
    secret, salt = secret or passwords.random_text(_SECRET_LENGTH), passwords.new_salt()
    database.change(
        "UPDATE robot SET secret = %s, salt = %s, update_time = CURRENT_TIMESTAMP WHERE id = %s",
        passwords.hashed(secret, salt),
        salt,
        robot_id,
    )
    return secret


def delete(database: Database, robot_id: int) -> None:
    with database.transaction() as cursor:
        cursor.execute(
            "DELETE FROM role_permission WHERE role_type = %s AND role_id = %s", [ROLE_TYPE, robot_id]
        )
        cursor.execute("DELETE FROM robot WHERE id = %s", [robot_id])


def full_name(robot: Row) -> str:
    """What it logs in as."""
    return PREFIX + (f"{robot['project_name']}+{robot['name']}" if robot["project_id"] else robot["name"])


def document(robot: Row, granted: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "creation_time": moment(robot["creation_time"]),
        "creator_ref": robot["creator_ref"],
        "creator_type": robot["creator_type"],
        **({"description": robot["description"]} if robot["description"] else {}),
        "disable": robot["disabled"],
        "duration": robot["duration"],
        "editable": True,
        "expires_at": robot["expiresat"],
        "id": robot["id"],
        "level": PROJECT if robot["project_id"] else SYSTEM,
        "name": full_name(robot),
        "permissions": granted,
        "update_time": moment(robot["update_time"]),
    }


def _grant(cursor: Cursor, robot_id: int, granted: list[dict[str, Any]]) -> None:
    cursor.execute("DELETE FROM role_permission WHERE role_type = %s AND role_id = %s", [ROLE_TYPE, robot_id])
    for permission in granted:
        scope = _scope(cursor, permission)
        for access in permission["access"]:
            cursor.execute(
                """INSERT INTO permission_policy (scope, resource, action) VALUES (%s, %s, %s)
                    ON CONFLICT (scope, resource, action, effect) DO UPDATE SET scope = EXCLUDED.scope RETURNING id""",
                [scope, access["resource"], access["action"]],
            )
            cursor.execute(
                """INSERT INTO role_permission (role_type, role_id, permission_policy_id) VALUES (%s, %s, %s)
                    ON CONFLICT DO NOTHING""",
                [ROLE_TYPE, robot_id, cursor.fetchone()["id"]],
            )


def _scope(cursor: Cursor, permission: dict[str, Any]) -> str:
    if permission.get("kind") == "system":
        return "/system"
    if permission["namespace"] == "*":
        return "/project/*"
    cursor.execute(
        "SELECT project_id FROM project WHERE name = %s AND NOT deleted", [permission["namespace"]]
    )
    row = cursor.fetchone()
    if row is None:
        raise LookupError(permission["namespace"])
    return f"/project/{row['project_id']}"


def _expiry(duration_days: int) -> int:
    """Seconds since 1970; -1: never."""
    return -1 if duration_days < 0 else int(time.time()) + duration_days * _DAY_S


def _is_expired(robot: Row) -> bool:
    return 0 < robot["expiresat"] < time.time()
