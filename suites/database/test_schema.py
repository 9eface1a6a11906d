"""What the database holds."""

from fixtures.checks import check
from fixtures.database import harbors_database
from fixtures.verdict import Offender, judge


@check(
    "database.schema-present",
    hint="Load Harbor's schema (registry.sql of its release) into the database that MYSQL_DATABASE names, before any "
    "ui starts; if it was loaded later, delete the ui pods, or nobody can log in. If some of it is missing, loading "
    "broke off: look at sql_mode (NO_ZERO_DATE) and at the loader's errors.",
    source="Harbor 1.2: registry.sql; Harbor does not load it by itself when the database is outside",
    needs=("database",),
)
def test_the_database_holds_harbors_tables_and_first_rows(harbor):
    """The database holds every table of Harbor's schema, its version, and the rows that Harbor begins with.

    Source: Harbor, its schema. As Harbor's own user sees them: a table that it may not read is missing, too.
    """
    profile = harbor.deployment.profile
    with harbors_database(harbor) as sql:
        found = {
            str(name).lower()
            for (name,) in sql.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            )
        }
        rows = [row for row in profile.first_rows if row.table in found]
        empty = [
            row for row in rows if not sql.rows(f"SELECT 1 FROM `{row.table}` WHERE {row.where} LIMIT 1")
        ]
    place = f"database {harbor.database()}"
    missing = sorted(profile.tables - found)
    offenders = [Offender(place, f"table {table}", "there is none") for table in missing]
    offenders += [
        Offender(place, f"{row.what}, in table {row.table}", f"no row where {row.where}") for row in empty
    ]
    judge(offenders, examined=len(profile.tables) + len(rows))
