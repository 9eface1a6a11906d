"""Repositories. Their names contain the project's: `library/busybox`."""

from typing import Any

from ...database import Cursor, Database, Row, contains
from .moments import moment

_SELECT = """SELECT r.repository_id, r.name, r.project_id, r.description, r.pull_count, r.creation_time,
        r.update_time, (SELECT COUNT(*) FROM artifact a WHERE a.repository_id = r.repository_id) AS artifact_count
    FROM repository r"""


def by_name(database: Database, name: str) -> Row | None:
    return database.row(f"{_SELECT} WHERE r.name = %s", name)


def listing(
    database: Database, *, project_id: int | None = None, name_like: str = "", limit: int, offset: int
) -> tuple[list[Row], int]:
    """The newest first; of one project or of all."""
    arguments: list[str | int] = [contains(name_like)]
    condition = "r.name LIKE %s"
    if project_id is not None:
        condition, arguments = f"{condition} AND r.project_id = %s", [*arguments, project_id]
    total = database.count(f"SELECT COUNT(*) AS n FROM repository r WHERE {condition}", *arguments)
    rows = database.rows(
        f"{_SELECT} WHERE {condition} ORDER BY r.creation_time DESC, r.repository_id DESC LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def names(database: Database, *, limit: int = 10_000_000, after: str = "") -> list[str]:
    """Those that have a tag, in order: what the registry's catalogue lists."""
    rows = database.rows(
        """SELECT r.name FROM repository r WHERE r.name > %s AND EXISTS
            (SELECT 1 FROM artifact a WHERE a.repository_id = r.repository_id) ORDER BY r.name LIMIT %s""",
        after,
        limit,
    )
    return [row["name"] for row in rows]


def ensure(cursor: Cursor, project_id: int, name: str) -> int:
    """The id of the repository, which is made when it is not there."""
    cursor.execute(
        """INSERT INTO repository (name, project_id) VALUES (%s, %s)
            ON CONFLICT (name) DO NOTHING RETURNING repository_id""",
        [name, project_id],
    )
    if row := cursor.fetchone():
        return int(row["repository_id"])
    cursor.execute("SELECT repository_id FROM repository WHERE name = %s", [name])
    return int(cursor.fetchone()["repository_id"])


def set_description(database: Database, repository_id: int, description: str) -> None:
    database.change(
        "UPDATE repository SET description = %s WHERE repository_id = %s", description, repository_id
    )


def document(repository: Row) -> dict[str, Any]:
    return {
        "artifact_count": repository["artifact_count"],
        "creation_time": moment(repository["creation_time"]),
        **({"description": repository["description"]} if repository["description"] else {}),
        "id": repository["repository_id"],
        "name": repository["name"],
        "project_id": repository["project_id"],
        "pull_count": repository["pull_count"],
        "update_time": moment(repository["update_time"]),
    }
