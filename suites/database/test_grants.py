"""What Harbor may do in its database."""

from fixtures.checks import check
from fixtures.database import harbors_database
from fixtures.model import grants
from fixtures.verdict import Offender, judge


@check(
    "database.grants-sufficient",
    hint="As the database's administrator: GRANT ALL PRIVILEGES ON `DATABASE`.* TO 'USER'@'HOST', for the account "
    "that is named. What a connection may do is decided when it is made: delete the ui pods afterwards. A role counts "
    "only when it is active: SET DEFAULT ROLE.",
    source="MySQL and MariaDB: SHOW GRANTS; Harbor 1.2 writes rows at each push, and for users and projects",
    needs=("database",),
)
def test_harbor_may_read_and_write_its_database(harbor):
    """Harbor's own user may SELECT, INSERT, UPDATE and DELETE in its database.

    Source: SHOW GRANTS of the account that Harbor's credentials lead to, with its active roles. Without the right
    to write, Harbor starts, and lets people look around.
    """
    with harbors_database(harbor) as sql:
        found = [str(line) for (line,) in sql.rows("SHOW GRANTS")]
    database = harbor.database()
    offenders = []
    if missing := grants.missing_privileges(found, database.name):
        expected = f"{', '.join(grants.READ_AND_WRITE)} on {database.name}"
        shown = "; ".join(map(grants.without_password, found))
        observed = f"without {', '.join(missing)}: {shown}"
        offenders.append(Offender(f"database {database}", expected, observed))
    judge(offenders, examined=len(found))
