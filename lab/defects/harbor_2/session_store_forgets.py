"""Redis keeps what it has in memory only: a restart takes it away."""

from lab.defects import Defect, Lab
from lab.stores import redis_sentinel


def _switch(lab: Lab, on: bool) -> None:
    for name in redis_sentinel.DATA_NODES:
        redis_sentinel.persist(name, on)


DEFECT = Defect(
    report="h#13440, h#15323",
    shows="nothing, until Redis is restarted: then everybody is logged out",
    turns_red=frozenset(
        {
            "durability.session-store-writes-to-disk",
            "failover.session-store-restart",
            "failover.session-store-restart-of-all",
        }
    ),
    plant_outside=lambda lab: _switch(lab, False),
    heal_outside=lambda lab: _switch(lab, True),
)
