"""How many servers sessions are kept on, and who makes another one the primary."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.facts import Facts, StorePlace
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.redundancy import examine_servers
from harbor_verify.session_store import named_session_store, told_by
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import last_look

_GOOD_REPLICAS = "min_slaves_good_slaves"


@check(
    "sessions.store-not-on-one-server",
    hint="One pod: while it, or its node, is away, nobody is signed in and nobody can sign in, and what "
    "it kept in memory only is gone. Do not scale up a Redis that is not told to replicate: these are "
    "separate stores, and a session is in one of them. Set up a primary with a replica or more, and three "
    "Sentinels or a load balancer that follows the primary, and name them in {session_setting}; "
    "{after_change}. No replica follows: start it, and read its log (`redis-cli INFO replication`, or valkey-cli: "
    "connected_slaves, master_link_status). One pod of a proxy: give it a second one. A service that "
    "somebody else runs, and that cannot be known for one: `--facts 'session_store=managed service'`.",
    source="Kubernetes: Service spec.selector, ownerReferences; Redis and Valkey: INFO replication",
    builds_on=("configuration.session-store-configured",),
)
def test_sessions_are_kept_on_more_than_one_server(
    harbor: Target, findings: Findings, facts: Facts, settings: Settings, need, not_applicable
):
    """What the session store stands on is more than one server, and another one has the sessions.

    Source: what the host of Harbor's settings leads to in the cluster, and what the store itself says.
    """
    store = named_session_store(harbor, not_applicable)

    def ask():
        need("session-store")
        with harbor.redis(store) as redis:
            return _once_it_is_settled(redis, settings.request_timeout_s)

    examine_servers(
        harbor,
        findings,
        store=f"Redis {store}",
        host=None if store.sentinels else store.host,
        ask=ask,
        place=facts.session_store,
        not_applicable=not_applicable,
    )


@check(
    "sessions.sentinels-can-elect",
    hint="Too few alive: start those that are down; `redis-cli -p 26379 SENTINEL SENTINELS PRIMARY` (or "
    "valkey-cli) names them. "
    "Those that are gone for ever are counted all the same, until `SENTINEL RESET PRIMARY` was sent "
    "to each, one after the other (they come back under other addresses: let them announce names). Fewer "
    "than three: add some, on nodes of their own. The quorum higher than the majority: `SENTINEL SET "
    "PRIMARY quorum 2`. No replica is ever to be made primary: `CONFIG SET replica-priority 100` at one that may, and "
    "in its file. Only one is named: name all in {session_setting}; {after_change}.",
    source="Redis and Valkey: Sentinel, quorum and majority; SENTINEL MASTER, SENTINELS, CKQUORUM",
    requires=(Feature.SENTINELS,),
    builds_on=("configuration.session-store-configured",),
)
def test_sentinels_can_elect_a_primary_when_one_of_them_is_lost(
    harbor: Target, findings: Findings, settings: Settings, need, blocked, not_applicable
):
    """Every Sentinel that Harbor is told of finds one more alive than have to agree, and a replica to elect.

    Source: what the Sentinels say of each other and of the replicas. A node that is lost takes a Sentinel along with
    the primary.
    """
    store = named_session_store(harbor, not_applicable)
    if not store.sentinels:
        not_applicable(f"the session store is {store.address}; no Sentinels are asked for it")
    if settings.session_store_address:
        blocked("--session-store-address leads to Redis itself, and past the Sentinels")
    if len(store.sentinels) == 1:
        _judge_the_only_one(harbor, store, findings)
    need("session-store")
    with harbor.redis(store) as redis:
        views = redis.sentinel_views()
    silent = [view for view in views if isinstance(view, StoreRefused)]
    if len(silent) == len(views):
        raise CannotTell("; ".join(map(str, silent)))
    for address, view in zip(store.sentinels, views, strict=True):
        # Of one that is silent the others say whether it is only so from here.
        if view not in silent:
            with findings.about(f"Sentinel {address}", "others elect without one of them") as sentinel:
                if view.trouble:
                    sentinel.wrong(view.trouble)


@check(
    "sessions.store-refuses-writes-alone",
    hint="A primary that was cut off is replaced, and comes back: until it is demoted (ten seconds, with Sentinel) "
    "it takes writes over connections that Harbor has kept, and all of that is thrown away: who signed in is logged "
    "out. First have two replicas or more: with one, the loss of either server would end all writes. Then set on "
    "every server, by CONFIG SET and in its file, `min-replicas-to-write 1`, and `min-replicas-max-lag` no longer "
    "than it takes until another is made primary (Sentinel: down-after-milliseconds; without being told 10 s).",
    source="Redis and Valkey: replication, min-replicas-to-write; INFO replication",
    needs=("session-store",),
    severity=SHOULD,
    builds_on=("configuration.session-store-configured", "sessions.store-not-on-one-server"),
)
def test_a_primary_that_nobody_follows_takes_no_writes(
    harbor: Target, findings: Findings, facts: Facts, not_applicable
):
    """The session store's primary refuses writes while no replica follows it: a replaced one acknowledges nothing.

    Source: what the store says of itself; it tells how many replicas are good enough only where that matters.
    """
    store = named_session_store(harbor, not_applicable)
    if facts.session_store.value is StorePlace.MANAGED:
        not_applicable(
            f"Redis {store} is a service that somebody else runs ({facts.session_store.source}): what becomes of a "
            "primary that was replaced was NOT verified"
        )
    told = told_by(harbor, store, "replication")
    if told.get("role") == "master" and not told.get("connected_slaves"):
        not_applicable(f"no replica follows Redis {store}: nobody takes over from it")
    with findings.about(f"Redis {store}", "min-replicas-to-write is 1 or more") as primary:
        if told.get("role") != "master":
            primary.unknown(f"a replica answers, and only its primary {told.get('master_host')} says it")
        elif _GOOD_REPLICAS not in told:
            primary.wrong("it is 0: it takes writes when no replica follows it")


def _once_it_is_settled(redis, timeout_s):
    """What it says of its replicas; of one that has just come, once it has everything, or does not get it."""
    return last_look(
        "the replica is online",
        redis.redundancy,
        lambda told: not told.passing,
        deadline="request_timeout_s",
        timeout_s=timeout_s,
    )


def _judge_the_only_one(harbor, store, findings):
    """The only Sentinel that Harbor is told of may be a Service of several."""
    with findings.about(
        f"Sentinel {store.address}", "Harbor is told of several, or of a Service of several"
    ) as only:
        backing = harbor.backing(store.host)
        if backing.alone:
            only.wrong(f"{backing.alone.object}: {backing.why_alone}")
