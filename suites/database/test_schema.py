"""What the database holds."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.verdict import Offender, judge


@check(
    "database.schema-present",
    hint="{schema}.",
    source="Harbor: its schema",
    needs=("database",),
)
def test_the_database_holds_harbors_tables_and_first_rows(harbor):
    """The database holds every table of Harbor's schema, its version, and the rows that Harbor begins with.

    Source: Harbor, its schema. As Harbor's own user sees them: a table that it may not read is missing, too.
    """
    profile = harbor.profile
    with harbors_database(harbor) as sql:
        found = sql.tables()
        rows = [row for row in profile.first_rows if row.table in found]
        empty = [row for row in rows if not sql.has_row(row.table, row.where)]
    place = f"database {harbor.database()}"
    missing = sorted(profile.tables - found)
    offenders = [Offender(place, f"table {table}", "there is none") for table in missing]
    offenders += [
        Offender(place, f"{row.what}, in table {row.table}", f"no row where {row.where}") for row in empty
    ]
    judge(offenders, examined=len(profile.tables) + len(rows))
