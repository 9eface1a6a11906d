"""The database lets Harbor in."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "database.reachable",
    hint="Access denied: user, password and database of {database_settings}; and whom the database lets in from "
    "where (MySQL: SELECT user, host FROM mysql.user; PostgreSQL: pg_hba.conf). No connection: its host and port, "
    "{way_to_database}. A changed setting: "
    "{after_change}.",
    source="Harbor: its database settings",
    needs=("database",),
)
def test_the_database_lets_harbor_in_and_answers(harbor: Target, findings: Findings):
    """Harbor's own credentials open its database, and it answers.

    Source: the credentials are those of the environment that Harbor's pods are given.
    """
    with harbors_database(harbor) as sql:
        answer = sql.rows("SELECT 1")
    with findings.about(f"database {harbor.database()}", "SELECT 1 → 1") as query:
        if answer != [(1,)]:
            query.wrong(str(answer))
