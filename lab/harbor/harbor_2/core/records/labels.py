"""Labels: words that images can be marked with, of one project or of the whole Harbor."""

from typing import Any

from ...database import Database, Row
from .moments import moment

GLOBAL, PROJECT = "g", "p"
"""Scopes. A global label has the project 0."""

_SELECT = (
    "SELECT id, name, description, color, scope, project_id, creation_time, update_time FROM harbor_label"
)


def listing(
    database: Database, *, scope: str, project_id: int, name_like: str, limit: int, offset: int
) -> tuple[list[Row], int]:
    rows = database.rows(
        f"{_SELECT} WHERE scope = %s AND project_id = %s AND position(%s in name) > 0 ORDER BY id",
        scope,
        project_id,
        name_like,
    )
    return rows[offset : offset + limit], len(rows)


def by_id(database: Database, label_id: int) -> Row | None:
    return database.row(f"{_SELECT} WHERE id = %s", label_id)


def add(database: Database, *, name: str, description: str, color: str, scope: str, project_id: int) -> int:
    """Return its id. Raises Duplicate when there is one of that name, there."""
    return database.insert(
        """INSERT INTO harbor_label (name, description, color, scope, project_id) VALUES (%s, %s, %s, %s, %s)
            RETURNING id""",
        name,
        description,
        color,
        scope,
        project_id,
    )


def change(database: Database, label_id: int, *, name: str, description: str, color: str) -> None:
    """Raises Duplicate when there is another one of that name, there."""
    database.change(
        """UPDATE harbor_label SET name = %s, description = %s, color = %s, update_time = CURRENT_TIMESTAMP
            WHERE id = %s""",
        name,
        description,
        color,
        label_id,
    )


def remove(database: Database, label_id: int) -> None:
    database.change("DELETE FROM harbor_label WHERE id = %s", label_id)


def document(label: Row) -> dict[str, Any]:
    """As the API gives it: what is empty is left out."""
    whole = {
        "color": label["color"],
        "creation_time": moment(label["creation_time"]),
        "description": label["description"],
        "id": label["id"],
        "name": label["name"],
        "project_id": label["project_id"],
        "scope": label["scope"],
        "update_time": moment(label["update_time"]),
    }
    return {name: value for name, value in whole.items() if value}
