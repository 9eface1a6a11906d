"""Whether the session store has room, and what becomes of sessions and jobs when it has none."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.session_store import named_session_store, told_by
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_KEEPS_ALL = "noeviction"


@check(
    "capacity.session-store-evicts-nothing",
    hint="Redis throws keys away by itself when its memory is full, sessions and the jobs that wait among them: people "
    "are logged out, jobs and schedules are forgotten, and nothing says so. `CONFIG SET maxmemory-policy noeviction` "
    "on every server, and in its file (a managed service: its parameter group); then give it room, or watch it "
    "(capacity.session-store-has-room): full, it refuses writes, which is seen. Keys that were evicted are gone: let "
    "the {job} pods restart, which brings schedules back.",
    source="Redis and Valkey: maxmemory-policy; INFO memory, INFO stats (evicted_keys)",
    needs=("session-store",),
    severity=SHOULD,
    builds_on=("configuration.session-store-configured",),
)
def test_the_session_store_throws_nothing_away_when_it_is_full(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """The session store evicts nothing when its memory is full: its maxmemory-policy is noeviction.

    Source: what it says of itself. Without maxmemory nothing is evicted, either, until its machine has no more memory.
    """
    store = named_session_store(harbor, not_applicable)
    told = told_by(harbor, store, "memory", "stats")
    evicted = int(told.get("evicted_keys", 0))
    measured["session_store_evicted_count"] = evicted
    with findings.about(f"Redis {store}", f"maxmemory-policy is {_KEEPS_ALL}") as server:
        policy, most = told.get("maxmemory_policy"), told.get("maxmemory")
        if policy is None or most is None:
            server.unknown("it does not tell its maxmemory-policy")
        elif policy != _KEEPS_ALL and (most or evicted):
            server.wrong(
                f"it is {policy}, with maxmemory {most} bytes; evicted since its start: {evicted} keys"
            )


@check(
    "capacity.session-store-has-room",
    hint="Memory: full, Redis refuses every write: nobody signs in, no job is taken. `CONFIG SET maxmemory`, or find "
    "out what fills it (`redis-cli --bigkeys`, INFO keyspace): a crawler or a probe without a session leaves a key an "
    "hour long with each request, and what another program keeps there. Clients: at maxclients, or at "
    "the limit of open files, it hangs up on whoever comes next: raise both, and count the pods' pools. How full is "
    "too full is a setting: --full-percent.",
    source="Redis and Valkey: maxmemory, maxclients; INFO memory, clients, stats (rejected_connections)",
    needs=("session-store",),
    severity=SHOULD,
    builds_on=("configuration.session-store-configured",),
)
def test_the_session_store_has_memory_and_connections_left(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, measured
):
    """The session store has memory left below its maxmemory, and connections below its maxclients.

    Source: what it says of itself. How full is too full is a setting. What it takes beside that (its machine's memory)
    it does not know.
    """
    store = named_session_store(harbor, not_applicable)
    told = told_by(harbor, store, "memory", "clients")
    limits = {
        "memory": ("bytes of maxmemory", "used_memory", "maxmemory"),
        "clients": ("clients of maxclients", "connected_clients", "maxclients"),
    }
    for name, (what, used, most) in limits.items():
        if not told.get(most):
            continue  # without a limit, or of a Redis that does not tell it
        percent = 100 * int(told[used]) / int(told[most])
        measured[f"session_store_{name}_percent"] = round(percent, 1)
        with findings.about(
            f"Redis {store}", f"less than {settings.full_percent} % of {most} is used"
        ) as limit:
            if percent >= settings.full_percent:
                limit.wrong(f"{told[used]} of {told[most]} {what}, {percent:.0f} %")
    if not findings.examined:
        not_applicable(f"Redis {store} tells no limit of memory or clients")
