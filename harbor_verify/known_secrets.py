"""Which values must not be written: the administrator's password, and what Harbor's settings hold as a secret."""

from collections.abc import Iterator, Mapping

from kubernetes.client import V1PodTemplateSpec

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import TargetUnreachable
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.environment import environment_of
from harbor_verify.redaction import Redaction, secrets_in


def of_credentials(credentials: Credentials) -> set[str]:
    """A password, and user and password together as HTTP's Basic authentication sends them."""
    return {credentials.password, credentials.login}


def learn(redaction: Redaction, deployment: Deployment) -> list[str]:
    """Let it know what of a deployment must not be written; why some of that cannot be found out, in words."""
    unknown = []
    for of in (of_deployment, of_secrets):
        try:
            redaction.learn(*of(deployment))
        except TargetUnreachable as error:
            unknown.append(str(error))
    return unknown


def of_deployment(deployment: Deployment) -> set[str]:
    """The secret values among the settings of Harbor's workloads that are no Secrets. Raises TargetUnreachable."""
    config_maps: dict[str, Mapping[str, str]] = {}
    for workload in deployment.workloads.values():
        for name in _config_maps_of(workload.template):
            if name not in config_maps:
                config_maps[name] = deployment.config_map(name) or {}
    secrets = {secret for data in config_maps.values() for secret in secrets_in(data)}
    for workload in deployment.workloads.values():
        for container in workload.template.spec.containers:
            # A variable may have another name than the key that it is taken from.
            secrets |= secrets_in(environment_of(container, config_maps.get, lambda name: None))
    return secrets


def of_secrets(deployment: Deployment) -> set[str]:
    """The secret values in the Secrets that Harbor's workloads are made from. Raises TargetUnreachable."""
    names = {name for workload in deployment.workloads.values() for name in _secrets_of(workload.template)}
    return {secret for name in sorted(names) for secret in secrets_in(deployment.secret(name) or {})}


def _secrets_of(template: V1PodTemplateSpec) -> Iterator[str]:
    for container in template.spec.containers:
        for source in container.env_from or ():
            if source.secret_ref:
                yield source.secret_ref.name
        for variable in container.env or ():
            if variable.value_from and variable.value_from.secret_key_ref:
                yield variable.value_from.secret_key_ref.name
    for volume in template.spec.volumes or ():
        if volume.secret:
            yield volume.secret.secret_name
        for source in (volume.projected.sources or ()) if volume.projected else ():
            if source.secret:
                yield source.secret.name


def _config_maps_of(template: V1PodTemplateSpec) -> Iterator[str]:
    for container in template.spec.containers:
        for source in container.env_from or ():
            if source.config_map_ref:
                yield source.config_map_ref.name
        for variable in container.env or ():
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield variable.value_from.config_map_key_ref.name
    for volume in template.spec.volumes or ():
        if volume.config_map:
            yield volume.config_map.name
        for source in (volume.projected.sources or ()) if volume.projected else ():
            if source.config_map:
                yield source.config_map.name
