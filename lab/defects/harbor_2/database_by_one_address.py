"""core is led to one PostgreSQL server by its own address, and not to the one that follows the primary."""

from lab import settings
from lab.defects import Defect, Lab
from lab.defects.edit import Edit
from lab.stores import postgresql


def _lead(lab: Lab) -> None:
    # Whichever is the primary now, as no core starts on a standby. Healing is deploying what is declared.
    address = settings.POSTGRESQL[postgresql.primary()]
    Edit("harbor-core", "POSTGRESQL_HOST", address, workload="harbor-core").plant_unread(lab)
    namespace = f"--namespace={lab.profile.namespace}"
    lab.kubectl("delete", "pods", namespace, "--selector=component=core", "--grace-period=1")
    lab.kubectl("rollout", "status", "deployment/harbor-core", namespace, "--timeout=90s")


DEFECT = Defect(
    report="elastisys/compliantkubernetes-apps#433",
    shows="nothing, until that server is lost: another takes over, and Harbor never asks it",
    turns_red=frozenset({"failover.database-kill"}),
    hint_says=("has to lead to the new primary",),
    plant_outside=_lead,
)
