"""Another program keeps its reports in Harbor's Redis: nine tenths of its memory are used."""

from lab.defects import Defect
from lab.stores import redis_sentinel

DEFECT = Defect(
    report="Redis: maxmemory; a server that several programs share",
    shows="nothing, until the rest is used: then nobody signs in, and no job is taken",
    turns_red=frozenset({"capacity.session-store-has-room"}),
    hint_says=("maxmemory", "--bigkeys"),
    alone=True,  # what is left is little for others
    plant_outside=lambda lab: redis_sentinel.fill(0.9),
    heal_outside=lambda lab: redis_sentinel.fill(0),
)
