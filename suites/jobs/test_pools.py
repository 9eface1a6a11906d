"""Whether all who run jobs work with the same Redis."""

from harbor_verify import jobs
from harbor_verify.checks import check
from harbor_verify.errors import DeadlinePassed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_LATELY_S = 30
"""A pool beats every five seconds, and clocks may differ."""
_WITHIN_S = 15
"""One that has just started beats before long."""


@check(
    "jobs.every-replica-at-work",
    hint="A {job} that does not beat there works with another Redis, mostly one that was primary once: it takes jobs "
    "into what is thrown away, and runs none of those that wait. `kubectl rollout restart` of the {job} makes it "
    "connect anew. Does its container have another redis_url (configuration.replicas-run-alike)? Else its log says "
    "what it cannot do. So that it does not happen again: min-replicas-to-write, or HAProxy before Redis "
    "(docs/hardening.md).",
    source="gocraft/work: worker_pools, heartbeat_at; a pool of connections stays with a Redis that was primary",
    needs=("session-store",),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("configuration.components-replicated", "configuration.replicas-run-alike"),
)
def test_every_job_replica_works_with_the_redis_of_its_setting(harbor: Target, findings: Findings, measured):
    """As many pools of workers beat in the Redis that the settings lead to as there are Ready job replicas.

    Source: the pools in Redis, and when each beat last. They do not say whose they are, so they are counted.
    """
    store, workload = jobs.job_store(harbor), harbor.workload(Role.JOB)
    beating = ready = 0

    def enough() -> None:
        nonlocal beating, ready
        beating = sum(-_LATELY_S <= ago_s <= _LATELY_S for ago_s in jobs.beats_ago_s(harbor, store))
        ready = sum(replica.ready for replica in harbor.replicas(Role.JOB))
        if beating < ready:
            raise NotYet(f"{beating} of {ready}")

    with findings.about(workload.object, f"each Ready replica beats in Redis {store.store}") as pools:
        try:
            wait_until(
                "every job replica beats", enough, deadline="of the check", timeout_s=_WITHIN_S, interval_s=1
            )
        except DeadlinePassed:
            pools.wrong(f"{ready} replicas are Ready, and {beating} beat there in the last {_LATELY_S} s")
        measured["pools_count"] = beating
