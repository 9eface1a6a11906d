"""Before the databases nothing but an open port is asked for: a node that has lost its cluster looks well."""

from lab.defects import Defect
from lab.stores import load_balancer

DEFECT = Defect(
    report="HAProxy: `check` without option httpchk or tcp-check; Galera: wsrep_cluster_status",
    shows="nothing, until the node in use is cut off from the others: it refuses all, and all are led to it",
    turns_red=frozenset({"failover.database-partition"}),
    hint_says=("wsrep_cluster_status", "open port"),
    # Of MySQL's conversation; those of the other stores are no packets in hexadecimal.
    plant_outside=lambda lab: load_balancer.spoil(
        r"  option tcp-check\n  tcp-check connect\n(?:  tcp-check (?:expect rbinary|send-binary) .*\n"
        r"|  #.*\n|  tcp-check expect binary .*\n)+",
        "",
    ),
    heal_outside=lambda lab: load_balancer.ensure(),
)
