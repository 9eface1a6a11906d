"""Garbage collection: untagged artifacts where that is asked for, then the blobs that no project holds any more.

Blobs younger than the time window are kept: a push may be under way that counts on them. Each goes by its status: it is
marked (delete), swept (deleting), and then gone. Whoever asks for a marked one keeps it; nobody is given one that is
swept. What is left so by a collection that died is passed over by all later ones.
"""

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import redis

from .. import http_client, redis_client
from ..core.records import artifacts, quotas
from ..database import Database, Row
from ..version import at_least
from .logs import JobLog

_MIB = 1024 * 1024
_KEPT, _MARKED, _SWEPT, _FAILED = "none", "delete", "deleting", "deletefailed"
"""What becomes of a blob."""
_CACHED = ("blobs::*", "repository::*", "upload:*")
"""Keys of the registry's cache of blob descriptors."""


class JobFailure(Exception):
    """The job cannot go on; the text says why."""


@dataclass(frozen=True)
class Surroundings:
    database: Database
    registryctl_url: str
    jobservice_secret: str


def run(surroundings: Surroundings, parameters: dict[str, Any], log: JobLog) -> dict[str, Any]:
    """Return what it has freed. Raises JobFailure, DatabaseError."""
    dry_run, untagged = bool(parameters.get("dry_run")), bool(parameters.get("delete_untagged"))
    window_hours, workers = int(parameters.get("time_window", 2)), int(parameters.get("workers", 1))
    tags = f"delete_tag: {str(bool(parameters.get('delete_tag'))).lower()}, " if at_least(2, 15) else ""
    log.info(
        f"Garbage Collection parameters: [delete_untagged: {str(untagged).lower()}, {tags}"
        f"dry_run: {str(dry_run).lower()}, time_window: {window_hours}, workers: {workers}]"
    )
    log.info("start to run gc in job.")
    if untagged:
        _delete_untagged(surroundings.database, dry_run, log)
    trash = _trash(surroundings.database, dry_run, log)
    candidates = _candidates(surroundings.database, window_hours, dry_run)
    result = {"freed_space": 0, "purged_blobs": 0, "purged_manifests": 0}
    if candidates:
        result = _collect(surroundings, candidates, trash, window_hours, dry_run, log)
    else:
        log.info("no need to execute GC as there is no non referenced artifacts.")
    if not dry_run:
        _clean_cache(str(parameters.get("redis_url_reg", "")), log)
    log.info("success to run gc in job.")
    return result


def _delete_untagged(database: Database, dry_run: bool, log: JobLog) -> None:
    log.info("start to delete untagged artifact (no actually deletion for dry-run mode)")
    rows = database.rows(
        """SELECT a.* FROM artifact a
            WHERE NOT EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id)
            AND NOT EXISTS (SELECT 1 FROM artifact_reference f WHERE f.child_id = a.id)
            AND NOT EXISTS (SELECT 1 FROM artifact_accessory y WHERE y.artifact_id = a.id)"""
    )
    for row in rows:
        log.info(
            f"delete the untagged artifact: ProjectID:({row['project_id']})-RepositoryName({row['repository_name']})"
            f"-MediaType:({row['manifest_media_type']})-Digest:({row['digest']})"
        )
        if not dry_run:
            artifacts.delete(database, row)
    log.info("end to delete untagged artifact (no actually deletion for dry-run mode)")


def _trash(database: Database, dry_run: bool, log: JobLog) -> list[Row]:
    """Artifacts that were deleted, and whose manifests the registry still has."""
    rows = [] if dry_run else database.rows("SELECT * FROM artifact_trash ORDER BY id")
    if not rows:
        log.warning("no removed artifacts.")
        return rows
    log.info("artifact trash candidates.")
    for row in rows:
        log.info(
            f"ID-{row['id']} MediaType-{row['media_type']} ManifestMediaType-{row['manifest_media_type']} "
            f"RepositoryName-{row['repository_name']} Digest-{row['digest']} "
            f"CreationTime-{row['creation_time']:%Y-%m-%d %H:%M:%S}"
        )
    return rows


def _candidates(database: Database, window_hours: int, dry_run: bool) -> list[Row]:
    """Blobs that are old enough and that no project holds, once what no artifact is made of is taken from projects."""
    if not dry_run:
        _release_unused(database, window_hours)
    return database.rows(
        """SELECT b.id, b.digest, b.content_type, b.size, b.version FROM blob b
            WHERE b.status <> 'deleting' AND b.update_time <= CURRENT_TIMESTAMP - make_interval(hours => %s)
            AND NOT EXISTS (SELECT 1 FROM project_blob pb WHERE pb.blob_id = b.id) ORDER BY b.id""",
        window_hours,
    )


def _release_unused(database: Database, window_hours: int) -> None:
    unused = """FROM project_blob pb JOIN blob b ON b.id = pb.blob_id
        WHERE b.update_time <= CURRENT_TIMESTAMP - make_interval(hours => %s) AND NOT EXISTS
            (SELECT 1 FROM artifact a JOIN artifact_blob ab ON ab.digest_af = a.digest
                WHERE a.project_id = pb.project_id AND ab.digest_blob = b.digest)"""
    for row in database.rows(f"SELECT DISTINCT pb.project_id {unused}", window_hours):
        with database.transaction() as cursor:
            quotas.lock(cursor, row["project_id"])
            cursor.execute(
                f"DELETE FROM project_blob WHERE project_id = %s AND id IN (SELECT pb.id {unused})",
                [row["project_id"], window_hours],
            )
            quotas.settle(cursor, row["project_id"])


def _collect(
    surroundings: Surroundings,
    candidates: list[Row],
    trash: list[Row],
    window_hours: int,
    dry_run: bool,
    log: JobLog,
) -> dict[str, Any]:
    digests = {row["digest"] for row in candidates}
    manifests = [row for row in trash if row["digest"] in digests]
    size = sum(row["size"] for row in candidates)
    for row in candidates:
        log.info(f"blob eligible for deletion: {row['digest']}")
    log.info(f"{len(candidates)} blobs and {len(manifests)} manifests eligible for deletion")
    log.info(f"The GC could free up {size // _MIB} MB space, the size is a rough estimation.")
    if dry_run:
        return {"freed_space": size, "purged_blobs": len(candidates), "purged_manifests": len(manifests)}
    marked = [
        row for row in candidates if _move(surroundings.database, row["id"], row["version"], _KEPT, _MARKED)
    ]
    for row in manifests:
        log.info(f"delete the manifest with registry v2 API: {row['repository_name']}, {row['digest']}")
        path = f"/api/registry/{quote(row['repository_name'])}/manifests/{row['digest']}"
        _delete_from_storage(surroundings, path)
        surroundings.database.change("DELETE FROM artifact_trash WHERE id = %s", row["id"])
    freed = purged = 0
    for row in marked:
        # Whoever asked for it since it was marked has changed it, and keeps it.
        if not _move(surroundings.database, row["id"], row["version"] + 1, _MARKED, _SWEPT):
            continue
        log.info(f"delete blob from storage: {row['digest']}")
        try:
            _delete_from_storage(surroundings, f"/api/registry/blob/{row['digest']}")
        except JobFailure:
            _move(surroundings.database, row["id"], row["version"] + 2, _SWEPT, _FAILED)
            raise
        surroundings.database.change("DELETE FROM blob WHERE id = %s AND status = %s", row["id"], _SWEPT)
        freed, purged = freed + row["size"], purged + 1
    log.info(f"{purged} blobs and {len(manifests)} manifests are actually deleted")
    log.info(f"The GC job actual frees up {freed // _MIB} MB space.")
    return {"freed_space": freed, "purged_blobs": purged, "purged_manifests": len(manifests)}


def _move(database: Database, blob_id: int, version: int, status: str, new: str) -> bool:
    """From one status to another, unless somebody has changed it meanwhile; whether it was."""
    return bool(
        database.change(
            """UPDATE blob SET status = %s, version = version + 1, update_time =
                    CASE WHEN %s THEN CURRENT_TIMESTAMP ELSE update_time END
                WHERE id = %s AND version = %s AND (status = %s OR (%s AND status IN ('delete', 'deletefailed')))""",
            new,
            new == _SWEPT,
            blob_id,
            version,
            status,
            status == _KEPT,
        )
    )


def _delete_from_storage(surroundings: Surroundings, path: str) -> None:
    """What is not there any more is as good as deleted."""
    url = f"{surroundings.registryctl_url}{path}"
    headers = {"Authorization": f"Harbor-Secret {surroundings.jobservice_secret}"}
    try:
        reply = http_client.send("DELETE", url, headers)
    except (OSError, http.client.HTTPException) as failure:
        raise JobFailure(http_client.describe("DELETE", url, failure)) from failure
    if reply.status not in (200, 404):
        raise JobFailure(f"{url}: registryctl answered {reply.status}")


def _clean_cache(url: str, log: JobLog) -> None:
    """Without it the registry would go on answering for blobs that are gone."""
    if not url:
        return
    try:
        client = redis_client.connect_for_jobs(url)
        for pattern in _CACHED:
            for key in client.scan_iter(match=pattern, count=1000):
                client.delete(key)
    except redis.RedisError as failure:
        raise JobFailure(f"failed to clean registry cache: {failure}") from failure
    log.info("cache clean up completed")
