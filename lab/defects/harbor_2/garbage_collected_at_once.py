"""Garbage is collected without a time window: what a push has sent, and no manifest names yet, is garbage."""

from lab.defects import Defect, executions
from lab.defects.edit import Edit

_EDIT = Edit("harbor-core", "GC_TIME_WINDOW_HOURS", "0", workload="harbor-core")

DEFECT = Defect(
    report="h#23116; somebody who wanted space at once",
    shows="pushes fail now and then while garbage is collected, and images are missing a layer afterwards",
    turns_red=frozenset({"integrity.pushes-survive-garbage-collection"}),
    hint_says=("GC_TIME_WINDOW_HOURS",),
    change=_EDIT.everywhere,
    takes=frozenset({executions.COLLECTIONS}),
)
