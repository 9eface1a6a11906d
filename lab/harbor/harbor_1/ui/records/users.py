"""Users."""

from typing import Any

from ...database import Database, Row
from .. import passwords
from ..moments import moment
from .patterns import containing

ADMIN_ID = 1

_COLUMNS = """user_id, username, email, password, realname, comment, deleted, salt, sysadmin_flag,
    reset_uuid, creation_time, update_time"""


def by_id(database: Database, user_id: int) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM user WHERE user_id = %s AND deleted = 0", user_id)


def by_name(database: Database, username: str) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM user WHERE username = %s AND deleted = 0", username)


def with_password(database: Database, principal: str, password: str) -> Row | None:
    """The user of that name or e-mail address, if the password is theirs."""
    user = database.row(
        f"SELECT {_COLUMNS} FROM user WHERE (username = %s OR email = %s) AND deleted = 0",
        principal,
        principal,
    )
    if user and user["password"] == passwords.hashed(password, user["salt"] or ""):
        return user
    return None


def is_taken(database: Database, column: str, value: str) -> bool:
    """Whether somebody has that `column`: username or email."""
    assert column in ("username", "email")
    return database.count(f"SELECT COUNT(*) AS n FROM user WHERE {column} = %s AND deleted = 0", value) > 0


def listing(database: Database, username: str, limit: int, offset: int) -> tuple[list[Row], int]:
    """Users whose name contains `username`, without the first administrator, and how many there are in all."""
    condition = "deleted = 0 AND user_id > %s AND username LIKE %s"
    arguments = (ADMIN_ID, containing(username))
    total = database.count(f"SELECT COUNT(*) AS n FROM user WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM user WHERE {condition} ORDER BY username LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def add(database: Database, user: dict[str, str]) -> int:
    """Return the id."""
    salt = passwords.new_salt()
    return database.change(
        """INSERT INTO user (username, email, password, realname, comment, salt, sysadmin_flag,
            creation_time, update_time) VALUES (%s, %s, %s, %s, %s, %s, 0, NOW(), NOW())""",
        user["username"],
        user["email"],
        passwords.hashed(user["password"], salt),
        user["realname"],
        user["comment"],
        salt,
    )


def delete(database: Database, user_id: int) -> None:
    """Keep the row, and free the name and the address."""
    database.change(
        """UPDATE user SET deleted = 1, username = CONCAT(username, '#', user_id),
            email = CONCAT(email, '#', user_id) WHERE user_id = %s""",
        user_id,
    )


def set_first_password(database: Database, user_id: int, password: str) -> bool:
    """Only where the user has none yet; return whether that was so."""
    user = by_id(database, user_id)
    if user is None or user["salt"]:
        return False
    salt = passwords.new_salt()
    database.change(
        "UPDATE user SET password = %s, salt = %s WHERE user_id = %s",
        passwords.hashed(password, salt),
        salt,
        user_id,
    )
    return True


def document(user: Row, *, password: str = "") -> dict[str, Any]:
    """As the API gives it."""
    return {
        "user_id": user["user_id"],
        "username": user["username"],
        "email": user["email"] or "",
        "password": password,
        "realname": user["realname"],
        "comment": user["comment"] or "",
        "deleted": user["deleted"],
        "role_name": "",
        "role_id": 0,
        "has_admin_role": user["sysadmin_flag"] or 0,
        "reset_uuid": user["reset_uuid"] or "",
        "creation_time": moment(user["creation_time"]),
        "update_time": moment(user["update_time"]),
    }
