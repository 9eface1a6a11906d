"""The database takes no writes, as a standby that Harbor was led to, or one that its disk has run full under."""

from lab.defects import Defect, Lab

# What holds for a session is decided when it begins: those that are there would go on as before.
_RECONNECT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'harbor'"""


def _forbid(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor SET default_transaction_read_only = on")
    lab.sql(_RECONNECT)


def _allow(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor RESET default_transaction_read_only")
    lab.sql(_RECONNECT)


DEFECT = Defect(
    report="h#15972",
    shows="one can sign in and look around, and everything that writes fails with 500",
    turns_red=frozenset({"database.grants-sufficient"}),
    causes=frozenset({"database.grants-sufficient"}),
    hint_says=("read-only",),
    plant_outside=_forbid,
    heal_outside=_allow,
)
