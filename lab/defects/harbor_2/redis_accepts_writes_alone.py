"""A Redis primary takes writes when no replica follows it: one that was cut off, and replaced, too, when it is back."""

from lab.defects import Defect, Lab
from lab.stores import redis_sentinel

_LISTENED_TO = redis_sentinel.DATA_NODES[0]
"""Core listens to one Sentinel, the first of those that it is told. Lost with the primary, it tells nobody of the next:
cores stay with the old primary when that is back, until it is demoted."""


def _plant(lab: Lab) -> None:
    _switch(False)
    redis_sentinel.make_primary(_LISTENED_TO)


def _switch(on: bool) -> None:
    for name in redis_sentinel.DATA_NODES:
        redis_sentinel.need_replicas(name, on)


DEFECT = Defect(
    report="seen on Harbor 2.12.4: 20 of 50 sessions lost; Redis' default",
    shows="nothing, until the primary cannot be reached for seconds: who signs in afterwards is logged out again",
    turns_red=frozenset({"failover.session-store-blackhole", "sessions.store-refuses-writes-alone"}),
    plant_outside=_plant,
    heal_outside=lambda lab: _switch(True),
)
