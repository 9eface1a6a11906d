"""What the database holds."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "database.schema-present",
    hint="{schema}.",
    source="Harbor: its schema",
    needs=("database",),
    builds_on=("database.reachable",),
)
def test_the_database_holds_harbors_tables_and_first_rows(harbor: Target, findings: Findings):
    """The database holds every table of Harbor's schema, its version, and the rows that Harbor begins with.

    Source: Harbor, its schema. As Harbor's own user sees them: a table that it may not read is missing, too.
    """
    profile = harbor.profile
    with harbors_database(harbor) as sql:
        tables = sql.tables()
        rows = [row for row in profile.first_rows if row.table in tables]
        empty = [row for row in rows if not sql.has_row(row.table, row.where)]
    place = f"database {harbor.database()}"
    for table in sorted(profile.tables):
        with findings.about(place, f"table {table}") as presence:
            if table not in tables:
                presence.wrong("there is none")
    for row in rows:
        with findings.about(place, f"{row.what}, in table {row.table}") as first_row:
            if row in empty:
                first_row.wrong(f"no row where {row.where}")
