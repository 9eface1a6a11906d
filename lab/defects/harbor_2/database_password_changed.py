"""Another database password stands in the Secret of core, and not in the database: nobody has been started with it."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-core", "POSTGRESQL_PASSWORD", "of-another-database", workload="harbor-core", kind="Secret"
)

UNREAD = Defect(
    report="h#22538, of Redis' password",
    shows="nothing, until a core is started: it is not let in, and the last one gone is the end of Harbor",
    turns_red=frozenset(
        {
            "configuration.replicas-run-what-is-declared",
            "database.connections-suffice",
            "database.grants-sufficient",
            "database.not-on-one-server",
            "database.pooler-keeps-prepared-statements",
            "database.reachable",
            "database.schema-migrated",
            "database.schema-present",
            "durability.database-commits-are-kept",
            "expiry.robots-valid-for-days",
            "integrity.no-blob-left-deleting",
            "integrity.storage-holds-what-the-database-knows",
            "jobs.jobs-end",
            "jobs.schedules-fire",
            "jobs.schedules-in-redis",
        }
    ),
    causes=frozenset({"configuration.replicas-run-what-is-declared", "database.reachable"}),
    hint_says=("user, password and database", "take it back"),
    plant_outside=_EDIT.plant_unread,
    heal_outside=_EDIT.heal_unread,
)
