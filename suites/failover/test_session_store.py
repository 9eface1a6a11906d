"""The session store fails over, is restarted, hangs, cannot be reached."""

from harbor_verify.checks import check
from harbor_verify.disruptions.machine_control import SESSION_STORE
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK


@check(
    "failover.session-store-kill",
    hint="Nobody takes over: Sentinel needs a majority and a replica (`redis-cli -p 26379 SENTINEL "
    "CKQUORUM NAME`, or valkey-cli). "
    "Harbor does not follow: {session_setting} has to name the Sentinels, or something that follows the primary. "
    "Sessions lost: the replica had not got them, or keeps nothing.",
    source="Redis Sentinel: failover; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "sessions.sentinels-can-elect", "sessions.store-not-on-one-server"),
)
def test_sessions_live_on_when_the_session_stores_primary_dies(experiments: Experiments, measured):
    """When the primary of the session store dies, another takes over, nobody stays logged out, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_kill(SESSION_STORE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.session-store-restart",
    hint="Everybody logged out: Redis keeps nothing over a restart; `appendonly yes` (or another replica that takes "
    "over). What comes late is a connection that Harbor has kept: it fails once.",
    source="Redis: persistence; reports 13440 and 15323 of goharbor/harbor; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_sessions_live_on_when_the_session_store_is_restarted(experiments: Experiments, measured):
    """When the session store is restarted, every session is still known afterwards, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_restart(SESSION_STORE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.session-store-restart-of-all",
    hint="Everybody is signed out: Redis keeps what it has in memory only; `appendonly yes`, on a disk that outlives "
    "the pod. Nobody leads: the Sentinels need the quorum, and a server that says that it is primary. An old primary "
    "that comes back first, with what it knew before the last failover: let each start as a replica of the one that "
    "the Sentinels name.",
    source="Redis: persistence, Sentinel; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_sessions_live_on_when_all_session_store_servers_are_restarted_at_once(
    experiments: Experiments, measured
):
    """When all servers of the session store end at once and come back, as after a power cut, nobody is logged out.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.servers_restart(SESSION_STORE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.session-store-hang",
    hint="A Redis that hangs refuses nothing: only Sentinel's down-after-milliseconds notices, and connections that "
    "Harbor keeps wait for their own time-outs. Shorten the former, and let the way to Redis cut what is open to a "
    "primary that was replaced.",
    source="Redis Sentinel: down-after-milliseconds; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "sessions.sentinels-can-elect", "sessions.store-not-on-one-server"),
)
def test_clients_get_by_when_the_session_store_hangs(experiments: Experiments, measured):
    """While the session store hangs, clients go without answers for seconds at most, and nobody is logged out.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_hang(SESSION_STORE)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.session-store-blackhole",
    hint="A Redis whose packets vanish (its machine has lost power, a firewall) ends no connection: those that Harbor "
    "keeps wait for answers until TCP gives up, a quarter of an hour. Sentinel has to notice "
    "(down-after-milliseconds), and Harbor, or the way to Redis, has to give connections up (read time-outs; HAProxy: "
    "on-marked-down shutdown-sessions). Sessions lost: the old primary, back, took writes until it was demoted; two "
    "replicas or more, `min-replicas-to-write 1` and `min-replicas-max-lag 2` on every Redis. Logins that succeed and "
    "are worth nothing: it is back, refuses writes, and is not demoted yet, which takes Sentinels ten seconds; reach "
    "Redis by HAProxy that asks the Sentinels, too (docs/hardening.md).",
    source="Redis Sentinel: down-after-milliseconds; TCP: retransmission; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "sessions.sentinels-can-elect", "sessions.store-not-on-one-server"),
)
def test_clients_get_by_when_the_session_store_is_blackholed(experiments: Experiments, measured):
    """When packets to the session store vanish, another takes over, nobody stays logged out, and nothing is lost.

    Source: budgets are settings; no loss is within any budget. The server comes back after 6 s, or once another has
    taken over: clients may be away for as long, and for `store_outage_budget_s` more.
    """
    survival = experiments.server_blackhole(SESSION_STORE)
    measured.update(survival.measured)
    survival.require()
