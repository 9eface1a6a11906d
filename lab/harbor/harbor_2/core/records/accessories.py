"""Accessories: artifacts that refer to another one in their repository, which need not be there."""

import json
from typing import Any

from ...database import Cursor, Database

NOT_ONE = "NOT EXISTS (SELECT 1 FROM artifact_accessory y WHERE y.artifact_id = a.id)"
"""A condition on `artifact a`: it refers to nothing."""


def record(cursor: Cursor, artifact_id: int, repository: str, subject: str, artifact_type: str) -> None:
    """The artifact refers to the digest `subject` of the same repository."""
    cursor.execute(
        """INSERT INTO artifact_accessory (artifact_id, subject_artifact_repo, subject_artifact_digest, type)
            VALUES (%s, %s, %s, %s) ON CONFLICT (artifact_id) DO NOTHING""",
        [artifact_id, repository, subject, artifact_type],
    )


def of_subject(cursor: Cursor, repository: str, digest: str) -> list[int]:
    """The ids of the artifacts that refer to it."""
    cursor.execute(
        """SELECT artifact_id FROM artifact_accessory
            WHERE subject_artifact_repo = %s AND subject_artifact_digest = %s ORDER BY artifact_id""",
        [repository, digest],
    )
    return [row["artifact_id"] for row in cursor.fetchall()]


def descriptors(
    database: Database, repository: str, digest: str, artifact_type: str = ""
) -> list[dict[str, Any]]:
    """How an index names what refers to it, of one type of artifact where that is given. Sizes are the manifests'."""
    rows = database.rows(
        """SELECT a.digest, a.manifest_media_type, a.annotations, y.type, b.size FROM artifact_accessory y
            JOIN artifact a ON a.id = y.artifact_id JOIN blob b ON b.digest = a.digest
            WHERE y.subject_artifact_repo = %s AND y.subject_artifact_digest = %s ORDER BY y.id""",
        repository,
        digest,
    )
    return [
        {
            "mediaType": row["manifest_media_type"],
            "digest": row["digest"],
            "size": row["size"],
            **({"annotations": json.loads(row["annotations"])} if row["annotations"] else {}),
            "artifactType": row["type"],
        }
        for row in rows
        if artifact_type in ("", row["type"])
    ]
