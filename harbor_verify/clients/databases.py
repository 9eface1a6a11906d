"""The kinds of databases that a Harbor may have, and opening one of them."""

from collections.abc import Callable
from pathlib import Path

from harbor_verify.clients import mysql, postgresql
from harbor_verify.clients.sql import Sql
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.stores import Database

_KINDS: dict[str, Callable[..., Sql]] = {"mysql": mysql.MySql, "postgresql": postgresql.PostgreSql}


def open_sql(
    database: Database, address: str, *, timeouts_s: tuple[float, float], ca_file: Path | None = None
) -> Sql:
    """Connect to `address` (HOST:PORT), which leads to `database` from here; `ca_file` (PEM) says whom to trust.

    Raises StoreRefused, CannotTell where it is this side that does not trust the database, and WrongConfiguration for
    a kind that there is none of.
    """
    if database.kind not in _KINDS:
        raise WrongConfiguration(f"a database of kind {database.kind} is none of {', '.join(_KINDS)}")
    return _KINDS[database.kind](database, address, timeouts_s=timeouts_s, ca_file=ca_file)
