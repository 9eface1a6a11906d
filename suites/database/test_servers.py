"""How many servers the database stands on."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database, named_database
from harbor_verify.facts import Facts
from harbor_verify.findings import Findings
from harbor_verify.redundancy import examine_servers
from harbor_verify.target import Target


@check(
    "database.not-on-one-server",
    hint="One pod: while it, or its node, is away, nobody signs in, pushes or pulls, however many "
    "replicas Harbor itself has. Do not scale it up: that makes a second, empty database, and no copy. "
    "Set up one that copies and fails over by itself (PostgreSQL: Patroni, or an operator with two "
    "instances or more; MariaDB: Galera of three), move the data there (dump and restore, while Harbor is "
    "read only), and lead {database_settings} to its primary; {after_change}. One pod of a proxy or "
    "pooler: give it a second one. No standby, or too few members: start those that are down, and read "
    "their logs (PostgreSQL: SELECT * FROM pg_stat_replication; MariaDB: SHOW STATUS LIKE 'wsrep%'). A "
    "service that somebody else runs, and that cannot be known for one: `--facts 'database=managed "
    "service'`.",
    source="Kubernetes: Service spec.selector, ownerReferences, spec.replicas; PostgreSQL: "
    "pg_stat_replication; Galera: wsrep_cluster_size; MariaDB: Slaves_connected",
    builds_on=("database.reachable", "database.cluster-complete"),
)
def test_the_database_stands_on_more_than_one_server(
    harbor: Target, findings: Findings, facts: Facts, need, not_applicable
):
    """What Harbor's database stands on is more than one server, and another one has its data.

    Source: what the host of Harbor's settings leads to in the cluster, and what the database itself says to
    Harbor's own user. Whether somebody promotes the standby no question shows: failover.database-kill does.
    """
    database = named_database(harbor)

    def ask():
        need("database")
        with harbors_database(harbor) as sql:
            return sql.redundancy()

    examine_servers(
        harbor,
        findings,
        store=f"database {database}",
        host=database.host,
        ask=ask,
        place=facts.database,
        not_applicable=not_applicable,
    )
