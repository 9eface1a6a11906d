"""Tags: names of artifacts in their repository."""

from typing import Any

from ...database import Cursor, Database, Row
from .moments import moment

_COLUMNS = "id, repository_id, artifact_id, name, push_time, pull_time"


def of_artifact(database: Database, artifact_id: int) -> list[Row]:
    """The newest first."""
    return database.rows(
        f"SELECT {_COLUMNS} FROM tag WHERE artifact_id = %s ORDER BY push_time DESC, id DESC", artifact_id
    )


def of_artifacts(database: Database, artifact_ids: list[int]) -> dict[int, list[Row]]:
    """By artifact, the newest first."""
    found: dict[int, list[Row]] = {artifact_id: [] for artifact_id in artifact_ids}
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM tag WHERE artifact_id = ANY(%s) ORDER BY push_time DESC, id DESC",
        artifact_ids,
    )
    for row in rows:
        found[row["artifact_id"]].append(row)
    return found


def names(database: Database, repository: str) -> list[str]:
    """All of the repository of that (whole) name, in order: what the registry's tags list shows."""
    rows = database.rows(
        """SELECT t.name FROM tag t JOIN repository r ON r.repository_id = t.repository_id
            WHERE r.name = %s ORDER BY t.name COLLATE "C\"""",
        repository,
    )
    return [row["name"] for row in rows]


def by_name(database: Database, repository_id: int, name: str) -> Row | None:
    return database.row(
        f"SELECT {_COLUMNS} FROM tag WHERE repository_id = %s AND name = %s", repository_id, name
    )


def add(database: Database, repository_id: int, artifact_id: int, name: str) -> int:
    """Return the id. Raises Duplicate when the repository has that tag."""
    return database.insert(
        "INSERT INTO tag (repository_id, artifact_id, name) VALUES (%s, %s, %s) RETURNING id",
        repository_id,
        artifact_id,
        name,
    )


def point(cursor: Cursor, repository_id: int, artifact_id: int, name: str) -> None:
    """The tag points to that artifact from now on, whatever it pointed to before."""
    cursor.execute(
        """INSERT INTO tag (repository_id, artifact_id, name) VALUES (%s, %s, %s)
            ON CONFLICT (repository_id, name) DO UPDATE
            SET artifact_id = EXCLUDED.artifact_id, push_time = CURRENT_TIMESTAMP
            WHERE tag.artifact_id <> EXCLUDED.artifact_id""",
        [repository_id, artifact_id, name],
    )


def delete(database: Database, tag_id: int) -> None:
    database.change("DELETE FROM tag WHERE id = %s", tag_id)


def document(tag: Row) -> dict[str, Any]:
    return {
        "artifact_id": tag["artifact_id"],
        "id": tag["id"],
        "immutable": False,
        "name": tag["name"],
        "pull_time": moment(tag["pull_time"]),
        "push_time": moment(tag["push_time"]),
        "repository_id": tag["repository_id"],
    }
