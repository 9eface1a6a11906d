"""Other registries, and how to log in to them. Their passwords are kept sealed."""

from typing import Any

from ...database import Database, Row
from .moments import moment

_COLUMNS = """id, name, url, credential_type, access_key, access_secret, type, insecure, description, health,
    creation_time, update_time"""


def listing(database: Database, *, limit: int, offset: int) -> tuple[list[Row], int]:
    total = database.count("SELECT COUNT(*) AS n FROM registry")
    rows = database.rows(f"SELECT {_COLUMNS} FROM registry ORDER BY id LIMIT %s OFFSET %s", limit, offset)
    return rows, total


def by_id(database: Database, registry_id: int) -> Row | None:
    return database.row(f"SELECT {_COLUMNS} FROM registry WHERE id = %s", registry_id)


def add(
    database: Database,
    *,
    name: str,
    url: str,
    type_: str,
    access_key: str,
    sealed_secret: str,
    insecure: bool,
    description: str,
) -> int:
    """Return the id. Raises Duplicate when the name is taken."""
    return database.insert(
        """INSERT INTO registry (name, url, credential_type, access_key, access_secret, type, insecure, description)
            VALUES (%s, %s, 'basic', %s, %s, %s, %s, %s) RETURNING id""",
        name,
        url,
        access_key,
        sealed_secret,
        type_,
        insecure,
        description,
    )


def delete(database: Database, registry_id: int) -> None:
    database.change("DELETE FROM registry WHERE id = %s", registry_id)


def document(registry: Row) -> dict[str, Any]:
    """As the API gives it: without the password."""
    credential = {"access_key": registry["access_key"], "access_secret": "*****", "type": "basic"}
    return {
        "creation_time": moment(registry["creation_time"]),
        **({"credential": credential} if registry["access_key"] else {}),
        **({"description": registry["description"]} if registry["description"] else {}),
        "id": registry["id"],
        "insecure": registry["insecure"],
        "name": registry["name"],
        "status": registry["health"],
        "type": registry["type"],
        "update_time": moment(registry["update_time"]),
        "url": registry["url"],
    }
