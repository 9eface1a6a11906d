"""The database says that a migration of its schema was broken off."""

from lab.defects import Defect, Lab


def _mark(lab: Lab) -> None:
    lab.sql("UPDATE schema_migrations SET dirty = true")


def _clear(lab: Lab) -> None:
    lab.sql("UPDATE schema_migrations SET dirty = false")


DEFECT = Defect(
    report="h#8970",
    shows="all goes on as before, until a core starts again: it refuses, and the last one gone is the end of Harbor",
    turns_red=frozenset({"database.schema-migrated"}),
    plant_outside=_mark,
    heal_outside=_clear,
)
