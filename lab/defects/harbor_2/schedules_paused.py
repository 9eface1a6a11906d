"""Somebody has paused all schedules: the queue of their moments."""

from functools import partial

from lab.defects import Defect
from lab.defects.harbor_2.queue_paused import pause, resume

_QUEUE = "SCHEDULER"

DEFECT = Defect(
    report="Harbor: Job Service Dashboard, Schedules, Pause All",
    shows="no schedule fires, and the page of each says when it is due next",
    turns_red=frozenset({"jobs.queues-not-paused"}),
    # It fires no more, which is seen a minute later.
    may_turn_red=frozenset({"jobs.schedules-fire"}),
    hint_says=("SCHEDULER",),
    plant_outside=partial(pause, _QUEUE),
    heal_outside=partial(resume, _QUEUE),
)
