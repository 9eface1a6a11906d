"""Somebody has set the time that sessions live to a month, so that nobody need sign in again."""

from lab.defects import Defect, Lab


def _plant(lab: Lab) -> None:
    _heal(lab)
    lab.sql("INSERT INTO properties (k, v) VALUES ('session_timeout', '43200')")


def _heal(lab: Lab) -> None:
    lab.sql("DELETE FROM properties WHERE k = 'session_timeout'")


DEFECT = Defect(
    report="none is known; Harbor: session_timeout, and a request in flight that writes its session back",
    shows="who logged out while a page was loading is signed in for weeks, with a cookie that somebody else may have",
    turns_red=frozenset({"access.logout-undone-for-a-day-at-most"}),
    hint_says=("session_timeout", "Harbor's own flaw"),
    plant_outside=_plant,
    heal_outside=_heal,
)
