"""Harbor's user in the database does not wait until what it commits is written down, here or on the standby."""

from lab.defects import Defect, Lab, database_sessions


def _hurry(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor SET synchronous_commit = off")


def _wait(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor RESET synchronous_commit")
    database_sessions.end(lab)


DEFECT = Defect(
    report="PostgreSQL: synchronous_commit, which guides to faster databases turn off",
    shows="nothing, until the primary is lost: pushes of its last second, which clients saw succeed, are gone",
    turns_red=frozenset({"durability.database-commits-are-kept"}),
    hint_says=("synchronous_commit",),
    plant_outside=_hurry,
    heal_outside=_wait,
)
