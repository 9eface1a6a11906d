"""What is to run by itself. The stand-in keeps the schedules and runs none of them."""

import json
from typing import Any

from ...database import Database, Row
from .moments import moment


def get(database: Database, vendor_type: str) -> Row | None:
    return database.row("SELECT * FROM schedule WHERE vendor_type = %s", vendor_type)


def listing(database: Database) -> list[Row]:
    return database.rows("SELECT * FROM schedule ORDER BY id")


def put(database: Database, vendor_type: str, cron_type: str, cron: str, parameters: dict[str, Any]) -> None:
    """In the place of the one that is there."""
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM schedule WHERE vendor_type = %s", [vendor_type])
        cursor.execute(
            """INSERT INTO schedule (vendor_type, vendor_id, cron, cron_type, extra_attrs)
                VALUES (%s, -1, %s, %s, %s)""",
            [vendor_type, cron, cron_type, json.dumps(parameters)],
        )


def delete(database: Database, vendor_type: str) -> None:
    database.change("DELETE FROM schedule WHERE vendor_type = %s", vendor_type)


def document(schedule: Row) -> dict[str, Any]:
    return {
        "cron": schedule["cron"],
        "id": schedule["id"],
        "update_time": moment(schedule["update_time"]),
        **({"vendor_id": schedule["vendor_id"]} if schedule["vendor_id"] else {}),
        "vendor_type": schedule["vendor_type"],
    }
