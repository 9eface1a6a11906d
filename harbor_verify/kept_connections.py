"""Which connections are kept to pods of Harbor's: what is sent over them as such a pod ends may meet their end, and
what is sent as it hangs waits.
"""

from collections.abc import Collection

from harbor_verify.checkers.ended_connections import Kept, by_clients, by_who_passes_on
from harbor_verify.checkers.hung_connections import KeptToHung
from harbor_verify.errors import HarnessError
from harbor_verify.model.roles import Role
from harbor_verify.registry_configuration import ends_in_good_order
from harbor_verify.target import Target
from harbor_verify.ways import FRONT_DOOR


def kept_connections(target: Target) -> list[Kept]:
    """By clients, to Harbor's own front door; by whoever serves docker clients, to the registry: none to one that is
    not known to end in good order.
    """
    kept = []
    if Role.FRONT_DOOR in target.deployment.workloads:
        kept.append(by_clients(target.workload(Role.FRONT_DOOR).short_name, FRONT_DOOR))
    try:
        if target.profile.registry_api is not Role.REGISTRY and ends_in_good_order(target):
            kept.append(by_who_passes_on(target.workload(Role.REGISTRY).short_name))
    except HarnessError:
        pass  # What cannot be read excuses nothing.
    return kept


def kept_to_hung(target: Target, passers: Collection[str]) -> list[KeptToHung]:
    """By `passers`, who pass on to the registry what docker clients ask, to a registry that hangs."""
    return [KeptToHung(target.workload(Role.REGISTRY).short_name, len(passers))] if passers else []
