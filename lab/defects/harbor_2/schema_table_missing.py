"""The database is without one of Harbor's tables, as after a restore that broke off."""

from lab.defects import Defect, Lab


def _hide(lab: Lab) -> None:
    lab.sql("ALTER TABLE IF EXISTS robot RENAME TO robot_of_before")


def _show(lab: Lab) -> None:
    lab.sql("ALTER TABLE IF EXISTS robot_of_before RENAME TO robot")


DEFECT = Defect(
    report="the reference deployment's own warning",
    shows="people can sign in, push and pull, and whatever has to do with robot accounts ends with 500",
    turns_red=frozenset({"access.robot-account-pushes-and-pulls", "database.schema-present"}),
    causes=frozenset({"database.schema-present"}),
    hint_says=("schema",),
    plant_outside=_hide,
    heal_outside=_show,
)
