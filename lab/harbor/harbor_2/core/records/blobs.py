"""Blobs, and which projects hold them."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...database import Cursor, Database, Row
from . import quotas


@dataclass(frozen=True)
class Blob:
    digest: str
    size: int
    content_type: str = "application/octet-stream"


def by_digest(database: Database, digest: str) -> Row | None:
    return database.row(
        "SELECT id, digest, size, content_type, update_time FROM blob WHERE digest = %s", digest
    )


def uploaded(database: Database, project_id: int, blob: Blob) -> None:
    """A blob has come into a project: by an upload, by a mount, or since a client was told that it is there.

    Raises QuotaExceeded; then the project does not hold it.
    """
    with database.transaction() as cursor:
        quotas.lock(cursor, project_id)
        hold(cursor, project_id, [blob])
        quotas.settle(cursor, project_id, limited=True)


def hold(cursor: Cursor, project_id: int, blobs: Iterable[Blob]) -> None:
    """The project holds them from now on. Their age, by which they are collected, begins anew."""
    for blob in sorted(blobs, key=lambda blob: blob.digest):  # one order for all, against deadlocks
        cursor.execute(
            """INSERT INTO blob (digest, content_type, size) VALUES (%s, %s, %s)
                ON CONFLICT (digest) DO UPDATE SET update_time = CURRENT_TIMESTAMP, status = 'none',
                    version = blob.version + 1 RETURNING id""",
            [blob.digest, blob.content_type, blob.size],
        )
        cursor.execute(
            "INSERT INTO project_blob (project_id, blob_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [project_id, cursor.fetchone()["id"]],
        )


def release(cursor: Cursor, project_id: int, digests: Iterable[str]) -> None:
    """The project holds those no longer that none of its artifacts is made of."""
    cursor.execute(
        """DELETE FROM project_blob pb USING blob b
            WHERE pb.blob_id = b.id AND pb.project_id = %s AND b.digest = ANY(%s) AND NOT EXISTS
                (SELECT 1 FROM artifact a JOIN artifact_blob ab ON ab.digest_af = a.digest
                    WHERE a.project_id = %s AND ab.digest_blob = b.digest)""",
        [project_id, list(digests), project_id],
    )


def touch(database: Database, digest: str, window_hours: int) -> str:
    """Somebody counts on it: its age begins anew, and a collection that has only marked it leaves it.

    Returns the status that it had; empty where it is not known.

    One that is in deletion stays so, and is given up as failed once it was for longer than the window.
    """
    with database.transaction() as cursor:
        cursor.execute("SELECT id, status FROM blob WHERE digest = %s FOR UPDATE", [digest])
        found = cursor.fetchone()
        if not found:
            return ""
        if found["status"] == "deleting":
            cursor.execute(
                """UPDATE blob SET status = 'deletefailed', version = version + 1, update_time = CURRENT_TIMESTAMP
                    WHERE id = %s AND update_time <= CURRENT_TIMESTAMP - make_interval(hours => %s)""",
                [found["id"], window_hours],
            )
        else:
            cursor.execute(
                """UPDATE blob SET status = 'none', version = version + 1, update_time = CURRENT_TIMESTAMP
                    WHERE id = %s""",
                [found["id"]],
            )
        return str(found["status"])
