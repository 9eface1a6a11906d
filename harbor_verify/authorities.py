"""Whom a Harbor trusts: authorities that operators have given it, beside the system's."""

import posixpath
from pathlib import Path
from tempfile import NamedTemporaryFile

from harbor_verify.clients.certificates import system_authorities
from harbor_verify.clients.replica_link import Trust
from harbor_verify.model import configuration
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica


def trust_of(deployment: Deployment, replica: Replica, namespace: str) -> Trust | None:
    """By what a replica that speaks TLS is known: what Harbor's web replicas verify it by, and its Services' names.

    None where they name no authority, or one that they are given by neither a ConfigMap nor a Secret. Raises
    TargetUnreachable.
    """
    asking = deployment.replicas(Role.WEB)
    if not asking:
        return None
    file = deployment.profile.internal_authority(deployment.environment(asking[0]))
    if not file:
        return None
    pod, container = asking[0].pod.spec, asking[0].container
    given = configuration.texts_below(
        posixpath.dirname(file), pod, container, deployment.config_map, deployment.secret
    )
    if file not in given:
        return None
    names = {
        f"{service.metadata.name}{suffix}"
        for service in deployment.services_of(replica.workload)
        for suffix in ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local")
    }
    return Trust(given[file], frozenset(names))


class Authorities:
    """Files (PEM) of what replicas trust, as clients want them; they last until `close`."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def of(self, deployment: Deployment, replica: Replica) -> Path | None:
        """Those that this replica trusts; None where it has been given none, and it is the system's.

        Source: the Secrets and ConfigMaps that it mounts. Raises TargetUnreachable.
        """
        folder = deployment.profile.authorities
        if not folder:
            return None
        given = configuration.texts_below(
            folder, replica.pod.spec, replica.container, deployment.config_map, deployment.secret
        )
        if not given:
            return None
        bundle = "\n".join([system_authorities().read_text(), *given.values()])
        if bundle not in self._files:
            with NamedTemporaryFile("w", prefix="harbor-verify-", suffix=".crt", delete=False) as file:
                file.write(bundle)
            self._files[bundle] = Path(file.name)
        return self._files[bundle]

    def close(self) -> None:
        """Remove the files."""
        for file in self._files.values():
            file.unlink(missing_ok=True)
