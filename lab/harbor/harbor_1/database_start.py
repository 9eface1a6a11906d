"""Connecting to the database at the start of a program."""

from typing import Any

from .. import log
from ..termination import Fatal
from . import dependencies
from .database import Database, DatabaseError, describe


def connect(settings: dict[str, Any]) -> Database:
    """Wait for the database that the settings name and connect to it. Raises Fatal."""
    host, port = settings["mysql_host"], settings["mysql_port"]
    user, name = settings["mysql_username"], settings["mysql_database"]
    log.info(f"initializing database: type-MySQL host-{host} port-{port} user-{user} database-{name}")
    try:
        dependencies.wait_for(host, port)
        database = Database(host, port, user, settings["mysql_password"], name)
        database.rows("SELECT 1")
    except TimeoutError as failure:
        raise Fatal(f"failed to initialize database: {failure}") from None
    except DatabaseError as failure:
        reason = f"register db Ping `default`, {describe(failure)}"
        raise Fatal(f"failed to initialize database: {reason}") from None
    log.info("initialize database completed")
    return database
