"""The database is several nodes that agree."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.model.galera import is_galera
from harbor_verify.model.roles import Feature
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_WELL = {
    "wsrep_on": "ON",
    "wsrep_cluster_status": "Primary",
    "wsrep_local_state_comment": "Synced",
    "wsrep_ready": "ON",
}


@check(
    "database.cluster-complete",
    hint="Too few nodes: start those that are down, and read their logs (on each: SHOW STATUS LIKE 'wsrep%'). Not "
    "Primary: the node has lost the majority, and refuses queries. Not Synced: it is catching up, or a donor; if that "
    "does not end, see its log. If the cluster is meant to have another size, say so: --database-nodes.",
    source="Galera: wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state_comment, wsrep_ready",
    needs=("database",),
    requires=(Feature.GALERA,),
    builds_on=("database.reachable",),
)
def test_every_node_of_the_databases_cluster_is_there(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, measured
):
    """The database's Galera cluster has all its nodes, and the one that Harbor speaks to is Synced in the Primary part.

    Source: Galera's status variables, on whichever node Harbor's address leads to.
    """
    with harbors_database(harbor) as sql:
        settings_there = sql.variables("SHOW VARIABLES LIKE 'wsrep\\_%'")
        status = sql.variables("SHOW STATUS LIKE 'wsrep\\_%'")
    if not is_galera(settings_there, status):
        not_applicable(
            "the database is no Galera cluster (wsrep has no provider, or is off); how it is replicated cannot be seen"
        )
    place = f"database {harbor.database()}"
    wanted = {"wsrep_cluster_size": str(settings.database_nodes), **_WELL}
    measured["database_nodes_count"] = int(status.get("wsrep_cluster_size", 0))
    variables = {"wsrep_on": settings_there.get("wsrep_on", "ON"), **status}
    for name, value in wanted.items():
        with findings.about(place, f"{name} is {value}") as variable:
            if variables.get(name) != value:
                variable.wrong(f"it is {variables.get(name) or 'not told'}")
