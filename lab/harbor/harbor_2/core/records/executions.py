"""Runs of jobs. An execution is what somebody has asked for; its task is the job that jobservice has made of it.

A task's status is known as soon as jobservice tells it; the execution's, which the API shows, is brought up to date
every 30 s only. So a run that took a second is shown as running for up to half a minute.
"""

import json
from datetime import UTC, datetime
from typing import Any

from ...database import Database, Row
from ...version import at_least
from .moments import NEVER, moment

GARBAGE_COLLECTION = "GARBAGE_COLLECTION"
MANUAL, SCHEDULE = "MANUAL", "SCHEDULE"
"""What an execution was triggered by."""
RUNNING, SUCCESS, ERROR, STOPPED = "Running", "Success", "Error", "Stopped"
FINAL = (SUCCESS, ERROR, STOPPED)

_SELECT = """SELECT e.id, e.vendor_type, e.trigger, e.extra_attrs, e.start_time, e.update_time, t.id AS task_id,
        t.job_id, t.status AS task_status, t.end_time
    FROM execution e LEFT JOIN task t ON t.execution_id = e.id"""


def start(
    database: Database,
    vendor_type: str,
    parameters: dict[str, Any],
    *,
    vendor_id: int = -1,
    trigger: str = MANUAL,
) -> tuple[int, int]:
    """An execution, and its task; their ids."""
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO execution (vendor_type, vendor_id, trigger, extra_attrs) VALUES (%s, %s, %s, %s) RETURNING id",
            [vendor_type, vendor_id, trigger, json.dumps(parameters)],
        )
        execution_id = int(cursor.fetchone()["id"])
        cursor.execute(
            "INSERT INTO task (execution_id, vendor_type) VALUES (%s, %s) RETURNING id",
            [execution_id, vendor_type],
        )
        return execution_id, int(cursor.fetchone()["id"])


def submitted(database: Database, task_id: int, job_id: str) -> None:
    """Jobservice has taken the task on."""
    database.change(
        "UPDATE task SET job_id = %s, update_time = CURRENT_TIMESTAMP WHERE id = %s", job_id, task_id
    )


def tasks_of(database: Database, vendor_type: str, vendor_id: int) -> list[Row]:
    """Of all executions for that."""
    return database.rows(
        """SELECT t.* FROM execution e JOIN task t ON t.execution_id = e.id
            WHERE e.vendor_type = %s AND e.vendor_id = %s ORDER BY t.id""",
        vendor_type,
        vendor_id,
    )


def forget(database: Database, execution_id: int) -> None:
    """As if it had never been asked for: jobservice has not taken it on."""
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM task WHERE execution_id = %s", [execution_id])
        cursor.execute("DELETE FROM execution WHERE id = %s", [execution_id])


def report(database: Database, task_id: int, job_id: str, status: str, result: dict[str, Any]) -> bool:
    """What jobservice says of a task; `result` goes into the execution's parameters. Whether there is that task."""
    final = status in FINAL
    with database.transaction() as cursor:
        cursor.execute(
            """UPDATE task SET status = %s, job_id = %s, update_time = CURRENT_TIMESTAMP,
                start_time = COALESCE(start_time, CURRENT_TIMESTAMP),
                end_time = CASE WHEN %s THEN CURRENT_TIMESTAMP END
                WHERE id = %s AND NOT status = ANY(%s) RETURNING execution_id""",
            [status, job_id, final, task_id, list(FINAL)],
        )
        row = cursor.fetchone()
        if row is None:
            cursor.execute("SELECT 1 AS n FROM task WHERE id = %s", [task_id])
            return cursor.fetchone() is not None
        cursor.execute(
            """UPDATE execution SET status = %s, update_time = CURRENT_TIMESTAMP,
                extra_attrs = (extra_attrs::jsonb || %s::jsonb)::json,
                end_time = CASE WHEN %s THEN CURRENT_TIMESTAMP END
                WHERE id = %s""",
            [status if final else RUNNING, json.dumps(result), final, row["execution_id"]],
        )
    return True


def by_id(database: Database, vendor_type: str, execution_id: int) -> Row | None:
    return database.row(f"{_SELECT} WHERE e.vendor_type = %s AND e.id = %s", vendor_type, execution_id)


def listing(database: Database, vendor_type: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The newest first."""
    total = database.count("SELECT COUNT(*) AS n FROM execution WHERE vendor_type = %s", vendor_type)
    rows = database.rows(
        f"{_SELECT} WHERE e.vendor_type = %s ORDER BY e.id DESC LIMIT %s OFFSET %s",
        vendor_type,
        limit,
        offset,
    )
    return rows, total


def document(execution: Row, *, refresh_s: int) -> dict[str, Any]:
    """As the API gives it; `refresh_s` is how often it brings a status up to date."""
    parameters = dict(execution["extra_attrs"])
    if at_least(2, 15):  # it has a password in it
        parameters.pop("redis_url_reg", None)
    return {
        "creation_time": moment(execution["start_time"]),
        "id": execution["id"],
        "job_kind": execution["trigger"],
        "job_name": execution["vendor_type"],
        "job_parameters": json.dumps(parameters, sort_keys=True, separators=(",", ":")),
        "job_status": _shown_status(execution, refresh_s),
        "schedule": {"next_scheduled_time": NEVER, "type": "Manual"},
        "update_time": moment(execution["update_time"]),
    }


def _shown_status(execution: Row, refresh_s: int) -> str:
    """Every core brings it up to date at the same moments, so that all of them show the same."""
    status, ended = execution["task_status"], execution["end_time"]
    if status not in FINAL or ended is None:
        return RUNNING
    now = datetime.now(UTC).timestamp()
    seen = now // refresh_s > ended.replace(tzinfo=UTC).timestamp() // refresh_s
    return str(status) if seen else RUNNING
