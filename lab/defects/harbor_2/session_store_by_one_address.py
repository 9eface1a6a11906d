"""core is led to one Redis by its own address, and asks no Sentinel which one is the primary."""

from lab import settings
from lab.defects import Defect
from lab.defects.edit import Edit
from lab.stores import redis_sentinel

_PRIMARY = next(iter(settings.REDIS))
_URL = f"redis://:{redis_sentinel.PASSWORD}@{settings.REDIS[_PRIMARY]}:{redis_sentinel.PORT}/0?idle_timeout_seconds=30"
_EDIT = Edit("harbor-core", "_REDIS_URL_CORE", _URL, workload="harbor-core")

DEFECT = Defect(
    report="elastisys/compliantkubernetes-apps#433",
    shows="nothing, until that Redis is lost: another takes over, and Harbor never asks it",
    turns_red=frozenset({"failover.session-store-kill"}),
    not_applicable=frozenset({"sessions.sentinels-can-elect"}),
    hint_says=("Sentinel",),
    change=_EDIT.everywhere,
    plant_outside=lambda lab: redis_sentinel.make_primary(_PRIMARY),
)
