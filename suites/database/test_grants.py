"""What Harbor may do in its database."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.model.grants import READ_AND_WRITE
from harbor_verify.target import Target


@check(
    "database.grants-sufficient",
    hint="As the database's administrator: GRANT ALL PRIVILEGES ON `DATABASE`.* TO 'USER'@'HOST' (MySQL, for the "
    "account that is named; a role counts only when it is active: SET DEFAULT ROLE), or ALTER TABLE … OWNER TO USER "
    "(PostgreSQL). What a connection may do is decided when it is made: replace the {web} pods afterwards. A "
    "standby, or read-only: what {database_settings} leads to is not the primary.",
    source="MySQL: SHOW GRANTS; PostgreSQL: has_table_privilege, pg_is_in_recovery; Harbor writes rows at each push",
    needs=("database",),
    builds_on=("database.reachable",),
)
def test_harbor_may_read_and_write_its_database(harbor: Target, findings: Findings):
    """Harbor's own user may SELECT, INSERT, UPDATE and DELETE in its database.

    Source: what the database itself says of the account that Harbor's credentials lead to. Without the right to write,
    Harbor starts, and lets people look around.
    """
    with harbors_database(harbor) as sql:
        missing = sql.missing_rights()
    database = harbor.database()
    with findings.about(f"database {database}", f"{', '.join(READ_AND_WRITE)} on {database.name}") as rights:
        if missing:
            rights.wrong(f"without {', '.join(missing)}")
