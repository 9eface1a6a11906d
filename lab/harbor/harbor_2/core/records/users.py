"""Users."""

from typing import Any

from ...database import Database, Row, contains
from . import passwords
from .moments import moment

ADMIN_ID = 1

_COLUMNS = """user_id, username, email, password, password_version, realname, comment, salt, sysadmin_flag,
    creation_time, update_time"""


def by_id(database: Database, user_id: int) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM harbor_user WHERE user_id = %s AND NOT deleted", user_id)


def by_name(database: Database, username: str) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM harbor_user WHERE username = %s AND NOT deleted", username)


def with_password(database: Database, principal: str, password: str) -> Row | None:
    """The user of that name or e-mail address, if the password is theirs."""
    user = database.row(
        f"SELECT {_COLUMNS} FROM harbor_user WHERE (username = %s OR email = %s) AND NOT deleted",
        principal,
        principal,
    )
    if user and passwords.matches(password, user["salt"], user["password"], user["password_version"]):
        return user
    return None


def is_taken(database: Database, column: str, value: str) -> bool:
    """Whether somebody has that `column`: username or email."""
    assert column in ("username", "email")
    return database.count(f"SELECT COUNT(*) AS n FROM harbor_user WHERE {column} = %s", value) > 0


def listing(
    database: Database, *, username: str = "", email: str = "", limit: int, offset: int
) -> tuple[list[Row], int]:
    """Users whose name and address contain that, without the first administrator, and how many there are in all."""
    condition = "NOT deleted AND user_id > %s AND username LIKE %s AND COALESCE(email, '') LIKE %s"
    arguments = (ADMIN_ID, contains(username), contains(email))
    total = database.count(f"SELECT COUNT(*) AS n FROM harbor_user WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM harbor_user WHERE {condition} ORDER BY username LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def search(database: Database, username: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """As `listing`, for what everybody may see of a user: {user_id, username}."""
    rows, total = listing(database, username=username, limit=limit, offset=offset)
    return [{"user_id": row["user_id"], "username": row["username"]} for row in rows], total


def add(
    database: Database, *, username: str, email: str, password: str, realname: str = "", comment: str = ""
) -> int:
    """Return the id. Raises Duplicate when the name or the address is taken."""
    salt = passwords.new_salt()
    return database.insert(
        """INSERT INTO harbor_user (username, email, password, password_version, realname, comment, salt)
            VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING user_id""",
        username,
        email or None,
        passwords.hashed(password, salt, passwords.OF_USERS),
        passwords.OF_USERS,
        realname,
        comment,
        salt,
    )


def delete(database: Database, user_id: int) -> None:
    """Keep the row, and free the name and the address. The memberships end."""
    with database.transaction() as cursor:
        cursor.execute(
            """UPDATE harbor_user SET deleted = true, username = username || '#' || user_id,
                email = email || '#' || user_id, update_time = CURRENT_TIMESTAMP WHERE user_id = %s""",
            [user_id],
        )
        cursor.execute("DELETE FROM project_member WHERE entity_id = %s AND entity_type = 'u'", [user_id])


def set_password(database: Database, user_id: int, password: str) -> None:
    salt = passwords.new_salt()
    database.change(
        """UPDATE harbor_user SET password = %s, password_version = %s, salt = %s,
            update_time = CURRENT_TIMESTAMP WHERE user_id = %s""",
        passwords.hashed(password, salt, passwords.OF_USERS),
        passwords.OF_USERS,
        salt,
        user_id,
    )


def set_first_password(database: Database, user_id: int, password: str) -> bool:
    """Only where the user has none yet; return whether that was so. Safe when several cores do it at once."""
    salt = passwords.new_salt()
    changed = database.change(
        """UPDATE harbor_user SET password = %s, password_version = %s, salt = %s,
            update_time = CURRENT_TIMESTAMP WHERE user_id = %s AND salt = ''""",
        passwords.hashed(password, salt, passwords.OF_USERS),
        passwords.OF_USERS,
        salt,
        user_id,
    )
    return changed > 0


def document(user: Row) -> dict[str, Any]:
    """As the API gives it."""
    return {
        "admin_role_in_auth": False,
        "comment": user["comment"],
        "creation_time": moment(user["creation_time"]),
        **({"email": user["email"]} if user["email"] else {}),
        "realname": user["realname"],
        "sysadmin_flag": user["sysadmin_flag"],
        "update_time": moment(user["update_time"]),
        "user_id": user["user_id"],
        "username": user["username"],
    }
