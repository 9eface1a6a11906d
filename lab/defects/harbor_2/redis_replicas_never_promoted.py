"""Every Redis has replica-priority 0, as somebody sets it at a replica for backups: none is ever made primary."""

from lab.defects import Defect, Lab, jobs_in_redis
from lab.stores import redis_sentinel


def _promote(lab: Lab) -> None:
    redis_sentinel.allow_promotion(True)
    # What was due while nobody took over never fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="Redis: replica-priority; seen where a replica for backups was copied to be all of them",
    shows="nothing, until the primary is lost: no replica may take over, and nobody can sign in until it is back",
    turns_red=frozenset(
        {"failover.session-store-hang", "failover.session-store-kill", "sessions.sentinels-can-elect"}
    ),
    causes=frozenset({"sessions.sentinels-can-elect"}),
    hint_says=("replica-priority",),
    plant_outside=lambda lab: redis_sentinel.allow_promotion(False),
    heal_outside=_promote,
)
