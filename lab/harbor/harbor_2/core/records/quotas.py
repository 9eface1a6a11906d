"""How much a project may hold, and holds: the bytes of the different blobs that it refers to, manifests included."""

from typing import Any

from ...database import Cursor, Database, Row
from .moments import moment

NO_LIMIT = -1

_SELECT = """SELECT q.id, q.reference_id, q.hard, q.creation_time,
        GREATEST(q.update_time, s.update_time) AS update_time,
        s.used, p.project_id, p.name
    FROM quota q JOIN quota_usage s ON s.reference = q.reference AND s.reference_id = q.reference_id
        JOIN project p ON p.project_id::text = q.reference_id
    WHERE q.reference = 'project'"""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class QuotaExceeded(Exception):
    """The text is what Harbor tells the client."""

    def __init__(self, adding: int, used: int, hard: int) -> None:
        super().__init__(
            f"adding {_size(adding)} of storage resource, which when updated to current usage of {_size(used)} "
            f"will exceed the configured upper limit of {_size(hard)}."
        )


def by_id(database: Database, quota_id: int) -> Row | None:
    return database.row(f"{_SELECT} AND q.id = %s", quota_id)


def of_project(database: Database, project_id: int) -> Row | None:
    return database.row(f"{_SELECT} AND q.reference_id = %s", str(project_id))


def listing(database: Database, *, project_id: str = "", limit: int, offset: int) -> tuple[list[Row], int]:
    condition, arguments = ("AND q.reference_id = %s", [project_id]) if project_id else ("", [])
    rows = database.rows(f"{_SELECT} {condition} ORDER BY q.id DESC", *arguments)
    return rows[offset : offset + limit], len(rows)


def set_limit(database: Database, quota_id: int, storage: int) -> None:
    """In bytes."""
    database.change(
        """UPDATE quota SET hard = jsonb_build_object('storage', %s::bigint), version = version + 1,
            update_time = CURRENT_TIMESTAMP WHERE id = %s""",
        storage,
        quota_id,
    )


def lock(cursor: Cursor, project_id: int) -> None:
    """Nobody else changes what the project holds until the transaction ends. Always the first lock to take."""
    cursor.execute(
        "SELECT 1 AS n FROM quota_usage WHERE reference = 'project' AND reference_id = %s FOR UPDATE",
        [str(project_id)],
    )


def settle(cursor: Cursor, project_id: int, *, limited: bool = False) -> None:
    """Write down what the project holds now. Raises QuotaExceeded when `limited` and it is more than it may."""
    cursor.execute(
        """SELECT s.used, q.hard, (SELECT COALESCE(SUM(b.size), 0)::bigint FROM project_blob pb
                JOIN blob b ON b.id = pb.blob_id WHERE pb.project_id = %s) AS holds
            FROM quota_usage s JOIN quota q ON q.reference = s.reference AND q.reference_id = s.reference_id
            WHERE s.reference = 'project' AND s.reference_id = %s""",
        [project_id, str(project_id)],
    )
    row = cursor.fetchone()
    if row is None:
        return
    used, hard, holds = row["used"]["storage"], row["hard"]["storage"], row["holds"]
    if limited and hard != NO_LIMIT and holds > hard and holds > used:
        raise QuotaExceeded(holds - used, used, hard)
    if holds != used:
        cursor.execute(
            """UPDATE quota_usage SET used = jsonb_build_object('storage', %s::bigint), version = version + 1,
                update_time = CURRENT_TIMESTAMP WHERE reference = 'project' AND reference_id = %s""",
            [holds, str(project_id)],
        )


def document(quota: Row) -> dict[str, Any]:
    return {
        "creation_time": moment(quota["creation_time"]),
        "hard": quota["hard"],
        "id": quota["id"],
        "ref": {"id": quota["project_id"], "name": quota["name"], "owner_name": ""},
        "update_time": moment(quota["update_time"]),
        "used": quota["used"],
    }


def _size(size_bytes: int) -> str:
    """As Harbor words it: 293.2 KiB, 0 B."""
    number, unit = float(size_bytes), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} B"
