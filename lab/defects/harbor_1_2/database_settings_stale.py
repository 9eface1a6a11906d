"""The ConfigMap of the adminserver names another database, and no pod has been started since."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-adminserver-config", "MYSQL_DATABASE", "registry_of_before", workload="adminserver-rc")

UNREAD = Defect(
    report="the reference deployment's own warning",
    shows="nothing, until an adminserver starts anew: each ui then asks one database or the other",
    turns_red=frozenset(
        {
            "configuration.database-settings-agree",
            "configuration.replicas-run-what-is-declared",
            "database.cluster-complete",
            "database.grants-sufficient",
            "database.reachable",
            "database.schema-present",
            "database.not-on-one-server",
            "database.pooler-keeps-prepared-statements",
            "durability.database-commits-are-kept",
            "durability.database-has-one-writer",
        }
    ),
    causes=frozenset(
        {
            "configuration.database-settings-agree",
            "configuration.replicas-run-what-is-declared",
            "database.reachable",
        }
    ),
    hint_says=("take it back",),
    plant_outside=_EDIT.plant_unread,
    heal_outside=_EDIT.heal_unread,
)
