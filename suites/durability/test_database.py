"""Whether what the database acknowledged outlives its program, its machine, and a failover."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database
from harbor_verify.facts import Facts, StorePlace
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target


@check(
    "durability.database-commits-are-kept",
    hint="What Harbor was told is written (a push, a project, a robot) is lost when the server, or its machine, ends. "
    "PostgreSQL: `fsync = on`, `full_page_writes = on`, `synchronous_commit = on` (a role may have a setting of its "
    "own: ALTER ROLE … RESET synchronous_commit). No standby that commits wait for: those of the last moments are lost "
    "when another takes over; Patroni: `synchronous_mode: true`, CloudNativePG: spec.postgresql.synchronous, else "
    "synchronous_standby_names. MySQL and MariaDB: `innodb_flush_log_at_trx_commit = 1`; 2 will do in a Galera "
    "cluster, whose other nodes have it as long as one is alive.",
    source="PostgreSQL: fsync, full_page_writes, synchronous_commit, synchronous_standby_names; MySQL and MariaDB: "
    "innodb_flush_log_at_trx_commit",
    needs=("database",),
    severity=SHOULD,
    builds_on=("database.reachable", "database.not-on-one-server"),
)
def test_what_the_database_acknowledged_is_kept(harbor: Target, findings: Findings, facts: Facts):
    """What the database acknowledges is on its disk, and on another server where there is one.

    Source: the database's settings as they are for Harbor's own user. Where no other server has its data is said by
    database.not-on-one-server; a service that somebody else runs is asked for its own disk only.
    """
    place = f"database {harbor.database()}"
    with harbors_database(harbor) as sql:
        kept = sql.durability()
        is_followed = facts.database.value is not StorePlace.MANAGED and sql.redundancy()
    with findings.about(place, "what it acknowledges is on its disk") as disk:
        for each in kept.lost_with_the_server:
            disk.wrong(each)
    if is_followed and is_followed.survives and not is_followed.managed:
        with findings.about(place, "what it acknowledges is on another server, too") as others:
            if kept.lost_in_a_failover:
                others.wrong(f"{kept.lost_in_a_failover}; {is_followed.seen}")


@check(
    "durability.database-has-one-writer",
    hint="Two transactions that meet on different nodes of a Galera cluster end in a deadlock when they commit, which "
    "Harbor does not try again: a push or a login fails now and then. Let the proxy before them lead to one node at a "
    "time (HAProxy: `backup` on all servers but one, on-marked-down shutdown-sessions; ProxySQL: "
    "max_writers 1; MaxScale: readwritesplit), or {database_settings} to one of them by a name that follows.",
    source="Galera: certification, multi-primary conflicts; wsrep_node_name",
    needs=("database",),
    requires=(Feature.GALERA,),
    severity=SHOULD,
    builds_on=("database.reachable", "database.cluster-complete"),
)
def test_all_connections_lead_to_one_node_of_the_databases_cluster(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """Every connection that Harbor makes to its database's cluster leads to the same node.

    Source: which node each of several connections, open side by side, says that it is.
    """
    nodes = _nodes(harbor, _TRIES)
    if None in nodes:
        not_applicable("the database is no cluster of several that take writes")
    measured["database_writers_count"] = len(set(nodes))
    with findings.about(f"database {harbor.database()}", "one node takes all writes") as writers:
        if len(set(nodes)) > 1:
            writers.wrong(f"{len(nodes)} connections lead to {', '.join(sorted(set(nodes)))}")


_TRIES = 6
"""A proxy that shares connections out gives the next to another node."""


def _nodes(harbor, count):
    """The node that each of so many connections leads to, open at the same time; None for what is no cluster."""
    with harbors_database(harbor) as sql:
        node = sql.writer()
        return [node, *(_nodes(harbor, count - 1) if node is not None and count > 1 else ())]
