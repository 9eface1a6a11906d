"""What is to run by itself, as the database has it."""

import json
from typing import Any

from ...database import Database, Row
from .moments import moment


def get(database: Database, vendor_type: str) -> Row | None:
    return database.row("SELECT * FROM schedule WHERE vendor_type = %s", vendor_type)


def by_task(database: Database, task_id: int) -> Row | None:
    """The one whose task this is."""
    return database.row(
        """SELECT s.* FROM task t JOIN execution e ON e.id = t.execution_id AND e.vendor_type = 'SCHEDULER'
            JOIN schedule s ON s.id = e.vendor_id WHERE t.id = %s""",
        task_id,
    )


def listing(database: Database) -> list[Row]:
    return database.rows("SELECT * FROM schedule ORDER BY id")


def add(database: Database, vendor_type: str, cron_type: str, cron: str, parameters: dict[str, Any]) -> int:
    """Its id."""
    return database.insert(
        """INSERT INTO schedule (vendor_type, vendor_id, cron, cron_type, extra_attrs)
            VALUES (%s, -1, %s, %s, %s) RETURNING id""",
        vendor_type,
        cron,
        cron_type,
        json.dumps(parameters),
    )


def advance(database: Database, schedule_id: int, revision: int) -> bool:
    """Whether nobody has said before that it fires at this moment, or a later one."""
    sql = "UPDATE schedule SET revision = %s WHERE id = %s AND revision < %s"
    return bool(database.change(sql, revision, schedule_id, revision))


def delete(database: Database, schedule_id: int) -> None:
    database.change("DELETE FROM schedule WHERE id = %s", schedule_id)


def document(schedule: Row) -> dict[str, Any]:
    return {
        "cron": schedule["cron"],
        "id": schedule["id"],
        "update_time": moment(schedule["update_time"]),
        **({"vendor_id": schedule["vendor_id"]} if schedule["vendor_id"] else {}),
        "vendor_type": schedule["vendor_type"],
    }
