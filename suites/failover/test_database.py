"""The database fails over, hangs, is torn apart."""

from harbor_verify.checks import check
from harbor_verify.disruptions.machine_control import DATABASE
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Feature


@check(
    "failover.database-kill",
    hint="Nobody takes over: the database's own cluster (Galera: wsrep_cluster_size; Patroni: `patronictl list`, which "
    "shows a standby tagged nofailover, and a maintenance mode that nobody ended with `patronictl resume`). "
    "Harbor does not follow: what {database_settings} leads to has to lead to the new primary, and to cut "
    "connections to the old one. Rows lost: the standby was not synchronous, or commits are acknowledged before they "
    "are written down (synchronous_commit). Reads that miss the write before them: a Galera node shows what the lost "
    "one has committed only when that is given up (wsrep_sync_wait=1 lets reads wait).",
    source="Galera: wsrep_sync_wait; Patroni: failover, synchronous mode; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "database.not-on-one-server"),
)
def test_nothing_is_lost_when_the_database_in_use_dies(experiments: Experiments, measured):
    """When the database server in use dies, another takes over in time, and nothing that was acknowledged is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_kill(DATABASE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.database-restart-of-all",
    hint="Lost writes: what was acknowledged was not on disk yet (PostgreSQL: fsync, synchronous_commit; Galera: "
    "innodb_flush_log_at_trx_commit; a disk that says so too early). Nobody leads again: Patroni waits for the one "
    "that had everything (`patronictl list`); a Galera cluster has to be bootstrapped, from the node whose "
    "grastate.dat says safe_to_bootstrap. Harbor does not come back: it keeps connections that nobody answers.",
    source="PostgreSQL, Galera: recovery after a crash; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "database.reachable"),
)
def test_nothing_is_lost_when_all_database_servers_are_restarted_at_once(experiments: Experiments, measured):
    """When all database servers end at once and come back, as after a power cut, nothing acknowledged is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.servers_restart(DATABASE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.database-hang",
    hint="A database that hangs refuses nothing, and Harbor's health report goes on to call it healthy: only a "
    "health check with a time-out notices. Let the load balancer before the database ask it a question, and close "
    "what is open to it when it does not answer. If reads go on and writes hang: a commit waits for a synchronous "
    "standby that cannot follow, or there were two primaries (Patroni before 3.0.3 takes the lock back from its "
    "successor): read the logs of both. Reads that miss the write before them: a Galera node shows what the one that "
    "hangs has committed only when that is given up (wsrep_sync_wait=1 lets reads wait).",
    source="HAProxy: timeout check, on-marked-down shutdown-sessions; Galera: wsrep_sync_wait; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "database.not-on-one-server"),
)
def test_clients_get_by_when_the_database_in_use_hangs(experiments: Experiments, measured):
    """While the database server in use hangs, clients go without answers for seconds at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_hang(DATABASE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.database-partition",
    hint="The node that is cut off has to refuse queries (wsrep_cluster_status is not Primary), and the load "
    "balancer has to ask for that, and not only for an open port. Two halves that both take writes: an even number "
    "of nodes without an arbitrator. Reads that miss the write before them: wsrep_sync_wait is 0.",
    source="Galera: quorum, wsrep_sync_wait; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    requires=(Feature.GALERA,),
    builds_on=(*CLIENTS_AT_WORK, "database.not-on-one-server"),
)
def test_nothing_is_lost_when_the_database_in_use_is_cut_off(experiments: Experiments, measured):
    """When the database server in use is cut off from the others, Harbor is led to the majority, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_isolation(DATABASE)
    measured.update(survival.measured)
    survival.require()
