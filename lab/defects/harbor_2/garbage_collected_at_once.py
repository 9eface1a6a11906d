"""Garbage is collected without a time window: what a push has sent, and no manifest names yet, is garbage."""

from lab.defects import Defect, Lab, executions
from lab.defects.edit import Edit
from lab.defects.left_images import CACHE_DATABASE
from lab.deployment import registry_cache

_EDIT = Edit("harbor-core", "GC_TIME_WINDOW_HOURS", "0", workload="harbor-core")


def _forget(lab: Lab) -> None:
    registry_cache.empty(CACHE_DATABASE)  # It vouches for layers that were swept as they were pushed.


DEFECT = Defect(
    report="h#23116; somebody who wanted space at once",
    shows="pushes fail now and then while garbage is collected, and images are missing a layer afterwards",
    turns_red=frozenset({"integrity.pushes-survive-garbage-collection"}),
    hint_says=("GC_TIME_WINDOW_HOURS",),
    change=_EDIT.everywhere,
    heal_outside=_forget,
    takes=frozenset({executions.COLLECTIONS}),
)
