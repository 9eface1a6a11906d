"""Repositories, as far as Harbor keeps a record of them; their tags are the registry's."""

from typing import Any

from ...database import Database, Row
from ..moments import moment
from .patterns import containing

_COLUMNS = "repository_id, name, project_id, description, pull_count, star_count, creation_time, update_time"


def by_name(database: Database, name: str) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM repository WHERE name = %s", name)


def names(database: Database) -> list[str]:
    return [row["name"] for row in database.rows("SELECT name FROM repository")]


def of_project(
    database: Database, project_id: int, text: str, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Those whose name contains `text`, and how many there are in all."""
    condition = "project_id = %s AND name LIKE %s"
    arguments = (project_id, containing(text))
    total = database.count(f"SELECT COUNT(*) AS n FROM repository WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM repository WHERE {condition} ORDER BY repository_id LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def visible(database: Database, *, sees_all: bool, user_id: int | None) -> list[Row]:
    """Those in projects that somebody sees, the most pulled first; with the project's name and publicity."""
    return database.rows(
        """SELECT repository.*, project.name AS project_name, project.public AS project_public
            FROM repository JOIN project USING (project_id)
            WHERE project.deleted = 0 AND (project.public = 1 OR %s OR
                project_id IN (SELECT project_id FROM project_member WHERE user_id = %s))
            ORDER BY pull_count DESC, repository_id""",
        int(sees_all),
        user_id,
    )


def count_in(database: Database, project_id: int) -> int:
    return database.count("SELECT COUNT(*) AS n FROM repository WHERE project_id = %s", project_id)


def add(database: Database, name: str, project_id: int, pull_count: int = 0) -> None:
    database.change(
        """INSERT INTO repository (name, project_id, description, pull_count, star_count, creation_time, update_time)
            VALUES (%s, %s, '', %s, 0, NOW(), NOW())""",
        name,
        project_id,
        pull_count,
    )


def delete(database: Database, name: str) -> None:
    database.change("DELETE FROM repository WHERE name = %s", name)


def count_pull(database: Database, name: str) -> None:
    database.change("UPDATE repository SET pull_count = pull_count + 1 WHERE name = %s", name)


def document(repository: Row, tags: int) -> dict[str, Any]:
    """As the API gives it."""
    return {
        "id": repository["repository_id"],
        "name": repository["name"],
        "project_id": repository["project_id"],
        "description": repository["description"] or "",
        "pull_count": repository["pull_count"],
        "star_count": repository["star_count"],
        "tags_count": tags,
        "creation_time": moment(repository["creation_time"]),
        "update_time": moment(repository["update_time"]),
    }
