"""Deleting a repository, and with it everything that is in it."""

from ...database import Database, Row
from . import artifacts, quotas


def delete_repository(database: Database, repository: Row) -> None:
    """With all of its artifacts."""
    with database.transaction() as cursor:
        quotas.lock(cursor, repository["project_id"])
        cursor.execute("SELECT id FROM artifact WHERE repository_id = %s", [repository["repository_id"]])
        artifacts.remove(cursor, [row["id"] for row in cursor.fetchall()])
        cursor.execute("DELETE FROM tag WHERE repository_id = %s", [repository["repository_id"]])
        cursor.execute("DELETE FROM repository WHERE repository_id = %s", [repository["repository_id"]])
        quotas.settle(cursor, repository["project_id"])
