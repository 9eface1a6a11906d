"""Every Redis is set up as a cache: what it has is in memory only, and when that is full it throws away what is old."""

from lab.defects import Defect, Lab
from lab.stores import redis_sentinel


def _switch(lab: Lab, *, cache: bool) -> None:
    for name in redis_sentinel.DATA_NODES:
        redis_sentinel.evict(name, "allkeys-lru" if cache else "noeviction")
        redis_sentinel.persist(name, not cache)


DEFECT = Defect(
    report="h#18836: schedules whose keys are gone from Redis; h#15323",
    shows="nothing, until its memory is full, or it restarts: people are logged out, and no schedule fires any more",
    turns_red=frozenset(
        {"capacity.session-store-evicts-nothing", "durability.session-store-writes-to-disk"},
    ),
    hint_says=("maxmemory-policy", "appendonly"),
    plant_outside=lambda lab: _switch(lab, cache=True),
    heal_outside=lambda lab: _switch(lab, cache=False),
)
