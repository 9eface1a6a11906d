"""core is told another address of the registry, and nobody has been started with it: the next one cannot serve images.

It is Ready all the same, and users sign in there: its probe asks for none of that.
"""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-core", "REGISTRY_URL", "http://127.0.0.1:5000", workload="harbor-core")

UNREAD = Defect(
    report="none is known; the chart: REGISTRY_URL, and probes that ask for core's /api/v2.0/ping alone",
    shows="nothing, until a core dies: its successor is Ready, and refuses each push and pull",
    turns_red=frozenset({"configuration.replicas-run-what-is-declared", "failover.web-pod-kill"}),
    hint_says=("take it back",),
    plant_outside=_EDIT.plant_unread,
    heal_outside=_EDIT.heal_read,
    alone=True,
)
