"""Redis keeps what it has in memory only: a restart takes it away."""

from lab import session_store
from lab.defects import Defect, Lab


def _switch(lab: Lab, on: bool) -> None:
    for name in session_store.DATA_NODES:
        session_store.persist(name, on)


DEFECT = Defect(
    report="h#13440, h#15323",
    shows="nothing, until Redis is restarted: then everybody is logged out",
    turns_red=frozenset({"failover.session-store-restart"}),
    plant_outside=lambda lab: _switch(lab, False),
    heal_outside=lambda lab: _switch(lab, True),
)
