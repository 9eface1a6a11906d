"""The load balancer shares connections out between the three nodes of the database's cluster."""

from lab.defects import Defect
from lab.stores import load_balancer

DEFECT = Defect(
    report="Galera: multi-primary conflicts; HAProxy's own example balances by leastconn",
    shows="now and then a push or a login ends in a deadlock, or in what another node does not know yet",
    turns_red=frozenset({"durability.database-has-one-writer"}),
    hint_says=("backup",),
    plant_outside=lambda lab: load_balancer.spoil(
        r"  balance first\n  stick-table .*\n  stick on dst\n", "  balance roundrobin\n"
    ),
    heal_outside=lambda lab: load_balancer.ensure(),
)
