"""What a MySQL or MariaDB says of the Galera cluster that it is a node of.

Source: Galera: wsrep_provider, wsrep_on, wsrep_cluster_size.
"""

from collections.abc import Mapping

LEAST = 3
"""Of fewer nodes those that are left when one is lost have no majority, and refuse queries."""


def is_galera(variables: Mapping[str, str], status: Mapping[str, str]) -> bool:
    """Whether this is a node. One that is told to replicate no more (wsrep_on=OFF) still is: it is wrong."""
    has_provider = variables.get("wsrep_provider", "none") not in ("", "none")
    is_off = variables.get("wsrep_on", "ON") == "OFF"
    return has_provider and not (is_off and status.get("wsrep_cluster_size", "0") == "0")
