"""PgBouncer gives its connections to the database to whoever has a transaction: what Harbor prepares is elsewhere.

Only once Harbor runs: a core that starts meanwhile locks by one connection and unlocks by another, and then no core
starts any more, now and then.
"""

from lab.defects import Defect, Lab
from lab.defects.edit import Edit
from lab.deployment import rollout
from lab.layouts.harbor_2.pgbouncer import NAME

_EDIT = Edit(NAME, "pgbouncer.ini", "pool_mode = transaction", workload=NAME, old="pool_mode = session")


def _pool_by_transaction(lab: Lab) -> None:
    _EDIT.plant_unread(lab)
    rollout.restart(lab.kubectl, lab.profile, NAME)


def _pool_by_session(lab: Lab) -> None:
    _EDIT.heal_unread(lab)
    rollout.restart(lab.kubectl, lab.profile, NAME)


DEFECT = Defect(
    report="h#15379",
    shows="requests end with 500 now and then: prepared statement does not exist",
    layout="pgbouncer",
    turns_red=frozenset({"database.pooler-keeps-prepared-statements"}),
    plant_outside=_pool_by_transaction,
    heal_outside=_pool_by_session,
)
