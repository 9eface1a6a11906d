"""Another program keeps its reports in Harbor's Redis: nine tenths of its memory are used."""

from lab.defects import Defect
from lab.stores import redis_sentinel

_BYTES = redis_sentinel.MAX_MEMORY_BYTES * 9 // 10

DEFECT = Defect(
    report="Redis: maxmemory; a server that several programs share",
    shows="nothing, until the rest is used: then nobody signs in, and no job is taken",
    turns_red=frozenset({"capacity.session-store-has-room"}),
    hint_says=("maxmemory", "--bigkeys"),
    alone=True,  # what is left is little for others
    plant_outside=lambda lab: redis_sentinel.leave(_BYTES),
    heal_outside=lambda lab: redis_sentinel.leave(0),
)
