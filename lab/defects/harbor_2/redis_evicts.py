"""Every Redis may throw away whatever was not used for long, as managed ones do unless told otherwise."""

from lab.defects import Defect, Lab
from lab.stores import redis_sentinel


def _switch(lab: Lab, policy: str) -> None:
    for name in redis_sentinel.DATA_NODES:
        redis_sentinel.evict(name, policy)


DEFECT = Defect(
    report="h#18836: schedules whose keys are gone from Redis; the policy of managed ones is mostly an LRU",
    shows="nothing, until its memory is full: then people are logged out, and schedules do not fire any more",
    turns_red=frozenset({"capacity.session-store-evicts-nothing"}),
    plant_outside=lambda lab: _switch(lab, "allkeys-lru"),
    heal_outside=lambda lab: _switch(lab, "noeviction"),
)
