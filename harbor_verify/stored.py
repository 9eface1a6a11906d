"""What Harbor keeps things on besides its database and Redis: volumes, and the object store of its registry."""

from collections.abc import Iterator

from harbor_verify.audit import harbor as parts
from harbor_verify.model import storage_place
from harbor_verify.model.roles import Role
from harbor_verify.model.storage_place import StoragePlace
from harbor_verify.target import Target


def places(target: Target) -> Iterator[tuple[str, StoragePlace]]:
    """(what an operator would look at, where its data is) of each.

    Raises Failure where there is no registry, CannotTell where its configuration cannot be read.
    """
    for volume in target.deployment.volumes():
        if volume.volume:
            yield volume.object, storage_place.of_volume(volume.volume)
    for role in target.deployment.workloads:
        workload = target.workload(role)
        for volume in workload.template.spec.volumes or ():
            if place := storage_place.of_pod(volume):
                yield f"{workload.object}, volume {volume.name}", place
    replica = target.replicas(Role.REGISTRY)[0]
    storage = parts.storage_of(target, replica)
    if storage and storage.outside:
        yield f"{replica.workload.object}, its object store", storage_place.of_bucket(storage)
