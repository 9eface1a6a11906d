"""Patroni is paused, as `patronictl pause` leaves it, and nobody has resumed it since the last maintenance."""

from lab.defects import Defect
from lab.stores import postgresql

DEFECT = Defect(
    report="Patroni: pause mode; left on after an upgrade by hand",
    shows="nothing, until the primary is lost: nobody takes over, and nobody starts it again",
    turns_red=frozenset({"failover.database-kill"}),
    hint_says=("patronictl resume",),
    plant_outside=lambda lab: postgresql.watch(False),
    heal_outside=lambda lab: postgresql.watch(True),
)
