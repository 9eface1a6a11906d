"""The database lets Harbor in."""

from fixtures.checks import check
from fixtures.database import harbors_database
from fixtures.verdict import Offender, judge


@check(
    "database.reachable",
    hint="Access denied: MYSQL_USR, MYSQL_PWD and MYSQL_DATABASE in the adminserver's ConfigMap, and the account's "
    "host part (SELECT user, host FROM mysql.user). No connection: MYSQL_HOST and MYSQL_PORT, the load balancer "
    "before the cluster, and the endpoints of the Service that MYSQL_HOST names. A changed setting counts "
    "only with RESET=true, and when the adminserver pods have been deleted.",
    source="Harbor 1.2: the MYSQL_ variables of the adminserver",
    needs=("database",),
)
def test_the_database_lets_harbor_in_and_answers(harbor):
    """Harbor's own credentials open its database, and it answers.

    Source: the credentials are those of the environment that Harbor's pods are given.
    """
    with harbors_database(harbor) as sql:
        answer = sql.rows("SELECT 1")
    offenders = []
    if answer != [(1,)]:
        offenders.append(Offender(f"database {harbor.database()}", "SELECT 1 → 1", str(answer)))
    judge(offenders, examined=1)
