"""The docker daemon as one client among others."""

from collections.abc import Callable

from harbor_verify.clients.busybox import message_layer
from harbor_verify.clients.docker import Docker
from harbor_verify.clients.harbor import Credentials
from harbor_verify.programs.client import IMAGES_ONLY, Kind


class DockerClient:
    """See harbor_verify/programs/client.py. `remove_later` is told the name of an image before it is made."""

    name, pushes, pulls = "docker", Kind.IMAGE, IMAGES_ONLY

    def __init__(
        self,
        docker: Docker,
        host: str,
        credentials: Credentials,
        *,
        run_id: str,
        remove_later: Callable[[str], None],
    ) -> None:
        """`host` is HOST[:PORT] of the registry."""
        self._docker, self._host, self._credentials = docker, host, credentials
        self._run_id, self._remove_later = run_id, remove_later
        self._image = f"harbor-verify/pushed-by-docker-{run_id}:1"
        self.version = ""

    def prepare(self) -> None:
        self.version = str(self._docker.client.version().get("Version", ""))
        self._remove_later(self._image)
        layer = message_layer(f"pushed by docker, run {self._run_id}")
        self._docker.import_image(layer, self._image, run_id=self._run_id)

    def push(self, repository: str, tag: str) -> str:
        reference = f"{self._host}/{repository}:{tag}"
        self._remove_later(reference)
        self._docker.tag(self._image, reference)
        try:
            return self._docker.push(reference, self._credentials)
        finally:
            self._docker.remove(reference)

    def pull(self, repository: str, tag: str) -> str:
        reference = f"{self._host}/{repository}:{tag}"
        self._remove_later(reference)
        try:
            return self._docker.pull(reference, self._credentials)
        finally:
            self._docker.remove(reference)
