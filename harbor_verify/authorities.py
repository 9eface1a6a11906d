"""Whom a Harbor trusts: authorities that operators have given it, beside the system's."""

import ssl
from pathlib import Path
from tempfile import NamedTemporaryFile

from harbor_verify.model import configuration
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.workloads import Replica


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
        bundle = "\n".join([*_of_the_system(), *given.values()])
        if bundle not in self._files:
            with NamedTemporaryFile("w", prefix="harbor-verify-", suffix=".crt", delete=False) as file:
                file.write(bundle)
            self._files[bundle] = Path(file.name)
        return self._files[bundle]

    def close(self) -> None:
        """Remove the files."""
        for file in self._files.values():
            file.unlink(missing_ok=True)


def _of_the_system() -> list[str]:
    """Those that this side trusts as it is, PEM; empty where they are in no single file."""
    system = ssl.get_default_verify_paths().cafile
    return [Path(system).read_text()] if system else []
