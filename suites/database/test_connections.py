"""Whether the database takes as many connections as Harbor may open."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "database.connections-suffice",
    hint="When all replicas connect at once (after a failover, or while a scan or garbage collection runs) the server "
    "says `too many clients already`, and Harbor answers 500. Lower what each may open (the chart: "
    "database.maxOpenConns, 900 by default) to the server's limit divided by the replicas and one more, as a "
    "rollout has one more for a while; or raise max_connections, or put a pooler in between.",
    source="PostgreSQL: max_connections; reports 12058, 13887 and 16631 of goharbor/harbor",
    needs=("database",),
    severity=SHOULD,
    builds_on=("database.reachable",),
)
def test_the_database_takes_as_many_connections_as_harbor_may_open(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """The database takes as many connections as all replicas of Harbor together may open.

    Source: the environment of each replica, and what the server says. Other clients of the server are not counted.
    """
    role, profile = harbor.profile.database_role, harbor.profile
    limits = [profile.most_connections(harbor.deployment.environment(each)) for each in harbor.replicas(role)]
    known = [limit for limit in limits if limit]
    if len(known) < len(limits):
        not_applicable("nothing says how many connections a replica may open")
    with harbors_database(harbor) as sql:
        if sql.by_pooler():
            not_applicable(
                "a pooler takes connections in the database's stead, and tells only those who run it how many "
                "(SHOW CONFIG: max_client_conn, and default_pool_size where pool_mode is session), so whether "
                "they suffice was NOT verified"
            )
        most = sql.most_connections()
    if most is None:
        not_applicable("the database does not say how many connections it takes")
    measured["connections_wanted_count"] = sum(known)
    measured["connections_taken_count"] = most
    workload = harbor.workload(role)
    expected = f"its {len(known)} replicas may open {most} connections at most, as many as the database takes"
    with findings.about(workload.object, expected) as connections:
        if sum(known) > most:
            connections.wrong(f"they may open {sum(known)}")
