"""Whether what the session store acknowledged outlives its program."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import StoreRefused
from harbor_verify.facts import Facts, StorePlace
from harbor_verify.findings import Findings
from harbor_verify.session_store import named_session_store, told_by
from harbor_verify.target import Target

_STATES = ("rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status")


@check(
    "durability.session-store-writes-to-disk",
    hint="A Redis that writes nothing down starts empty: everybody is logged out, jobs that waited are gone, and no "
    "schedule fires until a {job} restarts. A primary that restarts before another is elected makes its replicas "
    "throw away what they had. `CONFIG SET appendonly yes` on every server (or `save 300 10`), and in its file; and a "
    "volume for its folder. A status that is not ok: the disk is full, or there is no memory to fork; Redis' log says "
    "which.",
    source="Redis and Valkey: persistence (appendonly, save), safety of replication without it; INFO persistence; "
    "reports 13440 and 15323 of goharbor/harbor",
    needs=("session-store",),
    severity=SHOULD,
    builds_on=("configuration.session-store-configured",),
)
def test_the_session_store_writes_down_what_it_is_told(
    harbor: Target, findings: Findings, facts: Facts, not_applicable
):
    """The session store writes to disk what it is told, by append-only file or snapshots, and the last ones succeeded.

    Source: what it says of itself (INFO persistence), and CONFIG GET save where no append-only file is written.
    """
    store = named_session_store(harbor, not_applicable)
    told = told_by(harbor, store, "persistence")
    place = f"Redis {store}"
    saves = "" if told.get("aof_enabled") else _saves(harbor, store)
    if saves is None:
        managed = facts.session_store.value is StorePlace.MANAGED
        whose = f", a service that somebody else runs ({facts.session_store.source})," if managed else ""
        not_applicable(
            f"{place}{whose} writes no append-only file, and does not say whether it writes snapshots (CONFIG GET save "
            "is refused): whether anything outlives it was NOT verified"
        )
    with findings.about(place, "it writes an append-only file, or snapshots") as files:
        if not told.get("aof_enabled") and not saves:
            files.wrong("appendonly is no, and save is empty: it keeps what it has in memory only")
    with findings.about(place, "what it wrote last was written") as written:
        if failed := [f"{name} is {told[name]}" for name in _STATES if told.get(name, "ok") != "ok"]:
            written.wrong(", ".join(failed))


def _saves(harbor, store):
    """When it writes snapshots, in Redis' words; empty: never; None: it does not say."""
    try:
        with harbor.redis(store) as redis:
            return redis.setting("save")
    except StoreRefused:
        return None
