"""Bringing the database to this version's schema, as Harbor's core does when it starts.

Several cores may start at once: one works, the others wait for its lock and find nothing to do. A migration that
was broken off leaves `schema_migrations.dirty`, and then no core starts until somebody has looked at it.
"""

from pathlib import Path

from .. import log
from ..termination import Fatal
from .database import Cursor, Database, DatabaseError, describe
from .version import PLAYED, SCHEMA

_SCHEMA = Path(__file__).parent / "schema" / "harbor.sql"
_ADDITIONS = [_SCHEMA.with_name(name) for name in ("accessories.sql", "beside.sql", "jobs.sql", "labels.sql")]
"""What older stand-ins did without: made at each start, where it is not there."""
_LOCK = 150_211  # any number that nobody else takes


def migrate(database: Database) -> bool:
    """Create the schema where there is none; return whether that was so. Raises Fatal when core must not start."""
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            try:
                return _migrate_locked(cursor)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    except DatabaseError as failure:
        raise Fatal(f"failed to migrate the database: {describe(failure)}") from None


def _migrate_locked(cursor: Cursor) -> bool:
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)"
    )
    cursor.execute("SELECT version, dirty FROM schema_migrations")
    row = cursor.fetchone()
    if row and row["dirty"]:
        raise Fatal(
            f"failed to migrate: Dirty database version {row['version']}. Fix and force version., "
            "please upgrade database schema manually"
        )
    if row and row["version"] > SCHEMA:
        raise Fatal(f"failed to migrate: no migration found for version {row['version']}")
    additions = "; ".join(file.read_text() for file in _ADDITIONS)
    if row:
        cursor.execute(additions)
    if row and row["version"] == SCHEMA:
        log.info("No change in schema, skip.")
        return False
    cursor.execute("DELETE FROM schema_migrations")
    cursor.execute("INSERT INTO schema_migrations (version, dirty) VALUES (%s, true)", [SCHEMA])
    if not row:  # what the stand-in uses of the schema has not changed between the versions that it plays
        cursor.execute(f"BEGIN; {_SCHEMA.read_text()}; {additions}; COMMIT")
    cursor.execute("UPDATE schema_migrations SET dirty = false")
    log.info(f"{SCHEMA}/u {PLAYED[0]}.{PLAYED[1]}.0_schema")
    return True
