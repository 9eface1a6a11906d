"""Artifacts: what a manifest in a repository is."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ...database import Cursor, Database, Row
from . import accessories, blobs, manifests, quotas, repositories, tags
from .manifests import Manifest
from .moments import moment

_COLUMNS = """a.id, a.type, a.media_type, a.manifest_media_type, a.project_id, a.repository_id, a.repository_name,
    a.digest, a.size, a.push_time, a.pull_time, a.extra_attrs, a.annotations, a.icon"""


def by_reference(database: Database, repository: str, reference: str) -> Row | None:
    """The artifact of that tag or digest, in the repository of that (whole) name."""
    if ":" in reference:
        condition = "a.digest = %s"
    else:
        condition = "EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id AND t.name = %s)"
    return database.row(
        f"SELECT {_COLUMNS} FROM artifact a WHERE a.repository_name = %s AND {condition}",
        repository,
        reference,
    )


def not_found(repository: str, reference: str) -> str:
    """How Harbor says that there is none."""
    return f"artifact {repository}{'@' if ':' in reference else ':'}{reference} not found"


def listing(
    database: Database, repository_id: int, *, tag: str = "", limit: int, offset: int
) -> tuple[list[Row], int]:
    """The newest first; those that only an index refers to are left out, and those that refer to another."""
    condition = f"""a.repository_id = %s AND NOT (
        EXISTS (SELECT 1 FROM artifact_reference f WHERE f.child_id = a.id)
        AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id)) AND {accessories.NOT_ONE}"""
    arguments: list[Any] = [repository_id]
    if tag:
        condition += " AND EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id AND t.name = %s)"
        arguments.append(tag)
    total = database.count(f"SELECT COUNT(*) AS n FROM artifact a WHERE {condition}", *arguments)
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM artifact a WHERE {condition} ORDER BY a.push_time DESC, a.id DESC LIMIT %s OFFSET %s",
        *arguments,
        limit,
        offset,
    )
    return rows, total


def pushed(
    database: Database,
    *,
    project_id: int,
    repository: str,
    manifest: Manifest,
    tag: str = "",
    config: bytes | None = None,
) -> int:
    """A manifest has come into the repository of that (whole) name; with `tag`, the tag points to it from now on.

    `config` is the content of the blob `manifest.config_digest`. Returns the artifact's id.
    Raises QuotaExceeded; then nothing is changed.
    """
    parts = [blobs.Blob(manifest.digest, manifest.size, manifest.manifest_media_type), *manifest.blobs]
    with database.transaction() as cursor:
        quotas.lock(cursor, project_id)
        repository_id = repositories.ensure(cursor, project_id, repository)
        blobs.hold(cursor, project_id, parts)
        cursor.execute(
            "DELETE FROM artifact_trash WHERE repository_name = %s AND digest = %s",
            [repository, manifest.digest],
        )
        artifact_id = _ensure(cursor, project_id, repository_id, repository, manifest, config)
        for part in parts:
            cursor.execute(
                "INSERT INTO artifact_blob (digest_af, digest_blob) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [manifest.digest, part.digest],
            )
        if manifest.subject:
            accessories.record(cursor, artifact_id, repository, manifest.subject, manifest.artifact_type)
        if tag:
            tags.point(cursor, repository_id, artifact_id, tag)
        quotas.settle(cursor, project_id, limited=True)
    return artifact_id


def pulled(database: Database, repository: str, reference: str) -> None:
    """Count a pull, and note when it was."""
    artifact = by_reference(database, repository, reference)
    if artifact is None:
        return
    with database.transaction() as cursor:
        # In the order in which a deletion takes them, against deadlocks.
        if ":" not in reference:
            cursor.execute(
                "UPDATE tag SET pull_time = CURRENT_TIMESTAMP WHERE artifact_id = %s AND name = %s",
                [artifact["id"], reference],
            )
        cursor.execute("UPDATE artifact SET pull_time = CURRENT_TIMESTAMP WHERE id = %s", [artifact["id"]])
        cursor.execute(
            """UPDATE repository SET pull_count = pull_count + 1, update_time = CURRENT_TIMESTAMP
                WHERE repository_id = %s""",
            [artifact["repository_id"]],
        )


def is_referred_to(database: Database, artifact_id: int) -> bool:
    """Whether an index contains it."""
    return bool(
        database.count("SELECT COUNT(*) AS n FROM artifact_reference WHERE child_id = %s", artifact_id)
    )


def delete(database: Database, artifact: Row) -> None:
    """With its tags, the children that nothing else refers to, and what refers to it. Its manifest goes with a GC."""
    with database.transaction() as cursor:
        quotas.lock(cursor, artifact["project_id"])
        remove(cursor, [artifact["id"]])
        quotas.settle(cursor, artifact["project_id"])


def remove(cursor: Cursor, artifact_ids: Iterable[int]) -> None:
    """As `delete`, inside a transaction that has the project's quota locked and settles it."""
    waiting = list(artifact_ids)
    while waiting:
        artifact_id = waiting.pop()
        cursor.execute("SELECT child_id FROM artifact_reference WHERE parent_id = %s", [artifact_id])
        children = [row["child_id"] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM artifact_reference WHERE %s IN (parent_id, child_id)", [artifact_id])
        cursor.execute("DELETE FROM tag WHERE artifact_id = %s", [artifact_id])
        cursor.execute(
            """DELETE FROM artifact WHERE id = %s
                RETURNING project_id, media_type, manifest_media_type, repository_name, digest""",
            [artifact_id],
        )
        gone = cursor.fetchone()
        if gone is None:
            continue
        cursor.execute(
            """INSERT INTO artifact_trash (media_type, manifest_media_type, repository_name, digest)
                VALUES (%s, %s, %s, %s) ON CONFLICT (repository_name, digest)
                DO UPDATE SET creation_time = CURRENT_TIMESTAMP""",
            [gone["media_type"], gone["manifest_media_type"], gone["repository_name"], gone["digest"]],
        )
        waiting += accessories.of_subject(cursor, gone["repository_name"], gone["digest"])
        cursor.execute("SELECT digest_blob FROM artifact_blob WHERE digest_af = %s", [gone["digest"]])
        digests = [row["digest_blob"] for row in cursor.fetchall()]
        blobs.release(cursor, gone["project_id"], digests)
        cursor.execute(
            """DELETE FROM artifact_blob WHERE digest_af = %s
                AND NOT EXISTS (SELECT 1 FROM artifact WHERE digest = %s)""",
            [gone["digest"], gone["digest"]],
        )
        for child in children:
            cursor.execute(
                """SELECT (SELECT COUNT(*) FROM tag WHERE artifact_id = %s)
                    + (SELECT COUNT(*) FROM artifact_reference WHERE child_id = %s) AS n""",
                [child, child],
            )
            if not cursor.fetchone()["n"]:
                waiting.append(child)


def children(database: Database, artifact_id: int) -> list[Row]:
    return database.rows(
        """SELECT parent_id, child_id, child_digest, platform FROM artifact_reference
            WHERE parent_id = %s ORDER BY id""",
        artifact_id,
    )


def document(artifact: Row, *, tag_rows: list[Row] | None, references: list[Row]) -> dict[str, Any]:
    """As the API gives it; without tags where `tag_rows` is None."""
    project, _, repository = artifact["repository_name"].partition("/")
    encoded = quote(quote(repository, safe=""), safe="")
    href = (
        f"/api/v2.0/projects/{project}/repositories/{encoded}/artifacts/{artifact['digest']}"
        "/additions/build_history"
    )
    annotations = json.loads(artifact["annotations"]) if artifact["annotations"] else None
    is_image = artifact["media_type"] not in manifests.INDEXES and artifact["type"] == "IMAGE"
    return {
        "accessories": None,
        "addition_links": {"build_history": {"absolute": False, "href": href}} if is_image else {},
        **({"annotations": annotations} if annotations else {}),
        "artifact_type": artifact["media_type"],
        "digest": artifact["digest"],
        "extra_attrs": json.loads(artifact["extra_attrs"]),
        "icon": artifact["icon"],
        "id": artifact["id"],
        "labels": None,
        "manifest_media_type": artifact["manifest_media_type"],
        "media_type": artifact["media_type"],
        "project_id": artifact["project_id"],
        "pull_time": moment(artifact["pull_time"]),
        "push_time": moment(artifact["push_time"]),
        "references": [
            {
                "child_digest": row["child_digest"],
                "child_id": row["child_id"],
                "parent_id": row["parent_id"],
                "platform": json.loads(row["platform"]) if row["platform"] else None,
            }
            for row in references
        ]
        or None,
        "repository_id": artifact["repository_id"],
        "repository_name": artifact["repository_name"],
        "size": artifact["size"],
        "tags": None if tag_rows is None else [tags.document(row) for row in tag_rows] or None,
        "type": artifact["type"],
    }


def _ensure(
    cursor: Cursor,
    project_id: int,
    repository_id: int,
    repository: str,
    manifest: Manifest,
    config: bytes | None,
) -> int:
    cursor.execute(
        "SELECT id, digest, size FROM artifact WHERE repository_id = %s AND digest = ANY(%s)",
        [repository_id, [manifest.digest, *manifest.children]],
    )
    present = {row["digest"]: row for row in cursor.fetchall()}
    if manifest.digest in present:
        return int(present[manifest.digest]["id"])
    size = (
        manifest.size
        + sum(blob.size for blob in manifest.blobs)
        + sum(row["size"] for row in present.values())
    )
    cursor.execute(
        """INSERT INTO artifact (type, media_type, manifest_media_type, artifact_type, project_id, repository_id,
                repository_name, digest, size, extra_attrs, annotations, icon)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        [
            manifest.type,
            manifest.media_type,
            manifest.manifest_media_type,
            manifest.artifact_type,
            project_id,
            repository_id,
            repository,
            manifest.digest,
            size,
            json.dumps(manifests.attributes(manifest, config)),
            json.dumps(manifest.annotations) if manifest.annotations else None,
            manifest.icon,
        ],
    )
    artifact_id = int(cursor.fetchone()["id"])
    for digest, platform in manifest.children.items():
        if child := present.get(digest):
            cursor.execute(
                """INSERT INTO artifact_reference (parent_id, child_id, child_digest, platform)
                    VALUES (%s, %s, %s, %s)""",
                [artifact_id, child["id"], digest, json.dumps(platform) if platform else None],
            )
    return artifact_id
