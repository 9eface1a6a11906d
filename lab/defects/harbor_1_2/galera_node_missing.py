"""One of the three nodes of the database's cluster is down, and nobody has noticed."""

from lab.defects import Defect
from lab.stores import galera

_NODE = galera.NODES["galera-3"]

DEFECT = Defect(
    report="none is known; two of three serve as well as three",
    shows="nothing, until another node is lost: the one that is left has no majority, and refuses queries",
    turns_red=frozenset({"database.cluster-complete", "database.not-on-one-server"}),
    causes=frozenset({"database.cluster-complete"}),
    hint_says=("start those that are down",),
    plant_outside=lambda lab: _NODE.stop(),
    heal_outside=lambda lab: galera.ensure(),
)
