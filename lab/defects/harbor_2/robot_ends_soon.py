"""A robot account that was made for 90 days ends in three, and nobody is told."""

from lab.defects import Defect, Lab

_NAME = "lab-builds"


def _make(lab: Lab) -> None:
    _remove(lab)
    lab.sql(
        f"""INSERT INTO robot (name, duration, expiresat, creation_time) VALUES ('{_NAME}', 90,
        extract(epoch FROM now() + interval '3 days')::bigint, now() - interval '87 days')"""
    )


def _remove(lab: Lab) -> None:
    lab.sql(f"DELETE FROM robot WHERE name = '{_NAME}'")


DEFECT = Defect(
    report="h#16929; a robot is made for 30 days unless told otherwise",
    shows="nothing, until the day on which every pipeline that has its secret gets 401",
    turns_red=frozenset({"expiry.robots-valid-for-days"}),
    hint_says=("expiration",),
    plant_outside=_make,
    heal_outside=_remove,
)
