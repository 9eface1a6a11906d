"""How an audit comes to the parts of a Harbor: its registry replicas, their Redis, their volume."""

from harbor_verify.audit.walk import Source
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import CannotTell, UnexpectedAnswer
from harbor_verify.model import configuration
from harbor_verify.model.registry_cache import registry_cache
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import SessionStore
from harbor_verify.model.workloads import Replica
from harbor_verify.registry_configuration import declared
from harbor_verify.target import Target


def sources(target: Target) -> list[Source]:
    """Every registry replica that is Ready. Raises Failure where there is none at all, CannotTell where none is Ready.

    One whose container does not run is for other checks to say.
    """
    ready = [replica for replica in target.replicas(Role.REGISTRY) if replica.ready]
    if not ready:
        raise CannotTell("no registry replica is Ready: nothing can be read")

    def source(replica: Replica) -> Source:
        return Source(replica.object, lambda: _open(target, replica))

    return [source(replica) for replica in ready]


def cache_of(target: Target) -> SessionStore | None:
    """The Redis of the registry's descriptors; None: it has none. Raises CannotTell, WrongConfiguration."""
    replica = target.replicas(Role.REGISTRY)[0]
    return registry_cache(declared(target, replica), target.deployment.environment(replica))


def open_cache(target: Target, store: SessionStore) -> RedisStore:
    """Its caller closes it."""
    return target.redis(store)


def root_of(target: Target, replica: Replica) -> str | None:
    """The folder in the replica's container that images are in; None: they are in an object store."""
    storage = storage_of(target, replica)
    return storage.root if storage else None


def storage_of(target: Target, replica: Replica) -> configuration.RegistryStorage | None:
    """Where a replica keeps images, by what is declared for it; None: its configuration names no driver."""
    text = declared(target, replica)
    return configuration.registry_storage(text, target.deployment.environment(replica))


def knows_repository(target: Target, name: str) -> bool:
    """Whether Harbor has it. Raises AnswerError."""
    try:
        return any(True for _ in target.front_door.artifacts(name, target.credentials))
    except UnexpectedAnswer as refused:
        if refused.status in (403, 404):
            return False
        raise


def _open(target: Target, replica: Replica) -> Registry:
    return target.registry_by(target.new_link(replica), replica, target.credentials)
