"""A Redis primary takes writes when no replica follows it: one that was cut off, and replaced, too, when it is back."""

from lab.defects import Defect, Lab, jobs_in_redis
from lab.stores import redis_sentinel

_PRIMARY = redis_sentinel.DATA_NODES[1]
"""Core listens to the Sentinel beside the first. Lost with the primary, that could not be asked where to connect, and
core would wait until it can be, and be told right; another still names the old primary for the seconds before it is
replaced, and a connection that is begun then comes about when its packets pass again."""


def _plant(lab: Lab) -> None:
    _switch(False)
    redis_sentinel.make_primary(_PRIMARY)


def _switch(on: bool) -> None:
    for name in redis_sentinel.DATA_NODES:
        redis_sentinel.need_replicas(name, on)


def _heal(lab: Lab) -> None:
    _switch(True)
    # What was thrown away with the old primary may have been that a schedule has fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="seen on Harbor 2.12.4: 20 of 50 sessions lost; Redis' default",
    shows="nothing, until the primary cannot be reached for seconds: who signs in afterwards is logged out again",
    turns_red=frozenset({"failover.session-store-blackhole", "sessions.store-refuses-writes-alone"}),
    plant_outside=_plant,
    heal_outside=_heal,
)
