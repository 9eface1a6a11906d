"""The configuration that is declared for the registry's replicas."""

from harbor_verify.errors import CannotTell
from harbor_verify.model import configuration
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target


def declared(target: Target, replica: Replica) -> str:
    """The text of the configuration file that a replica is given. Raises CannotTell, RightMissing."""
    deployment = target.deployment
    texts = configuration.given_texts(
        replica.pod.spec, replica.container, deployment.config_map, deployment.secret
    )
    for text in texts.values():
        if configuration.is_registry_config(text):
            return text
    raise CannotTell(f"no ConfigMap or Secret with a registry's configuration is mounted in {replica.object}")


def ends_in_good_order(target: Target) -> bool:
    """Whether every registry replica is told to finish what is in flight before it ends; raises as `declared`."""
    return all(
        configuration.drains(declared(target, replica), target.deployment.environment(replica))
        for replica in target.replicas(Role.REGISTRY)
    )
