"""Whether every web replica speaks to the Redis that its settings lead to now."""

from contextlib import suppress
from typing import Any

from harbor_verify import running_replicas
from harbor_verify.checks import check
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.errors import ProgramMissing, StoreRefused, WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import SessionStore
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target

_TIMES = 3


@check(
    "sessions.replicas-follow-the-primary",
    hint="Its settings are right, its connections lead to another Redis: it stayed with a primary that was replaced. "
    "`kubectl delete pod` of those that are named: a new one connects anew, and who signed in there meanwhile signs in "
    "again. Then see to it that the old one takes no more writes: `redis-cli ROLE` of each server (or valkey-cli) must "
    "say `master` at one only. For the next time: what leads to Redis has to end the connections to a primary that was "
    "replaced (HAProxy: on-marked-down shutdown-sessions), and sessions.store-refuses-writes-alone.",
    source="Harbor: a session's key in Redis; connections that core keeps are never closed",
    needs=("exec", "session-store"),
    builds_on=("configuration.session-store-configured", "access.login-accepts-right-password"),
)
def test_every_web_replica_speaks_to_the_redis_that_its_settings_lead_to(
    harbor: Target, findings: Findings, not_applicable
):
    """Every session that a web replica opens lies in the Redis that this replica's own settings lead to now.

    Source: the environment that the container was made with, and a session's key in the Redis that it names, by a
    connection of the suite's own: which Redis is the primary the Sentinels say, or what stands in front of it. Several
    sessions each, and health reports say nothing of it.
    """
    named = 0
    for replica in harbor.replicas(Role.WEB):
        store = _store_of(harbor, replica)
        if store is None:
            continue
        named += 1
        expected = f"the sessions that it opens lie in Redis {store}"
        with findings.about(replica.object, expected) as follows, harbor.redis(store) as redis:
            replication = _replication(redis)
            if replication.get("role") == "slave":
                continue  # it cannot write there: sessions.stored-in-redis
            sessions = [harbor.web(replica).sign_in(harbor.user) for _ in range(_TIMES)]
            absent = [each for each in sessions if redis.time_to_live_s(each.cookie) is None]
            here = [each for each in absent if harbor.web(replica).whoami(each) is not None]
            if here:
                follows.wrong(
                    f"{len(here)} of {_TIMES} do not, and it knows them: it speaks to another Redis than "
                    f"{_said(replication)}"
                )
    if not named:
        not_applicable("the settings of no web replica name a session store")


def _replication(redis: RedisStore) -> dict[str, Any]:
    """What it says of itself; {} where Harbor's user may not ask."""
    with suppress(StoreRefused):
        return redis.facts("replication")
    return {}


def _said(replication: dict[str, Any]) -> str:
    follow = replication.get("connected_slaves")
    return "the one that answers there now" + ("" if follow is None else f" (primary, followed by {follow})")


def _store_of(harbor: Target, replica: Replica) -> SessionStore | None:
    """As its container was told; None: no store, or nothing that could be one, which others judge."""
    try:
        environment = running_replicas.environment(harbor, replica)
    except ProgramMissing:
        environment = harbor.deployment.environment(replica)
    try:
        return harbor.profile.session_store(environment)
    except WrongConfiguration:
        return None
