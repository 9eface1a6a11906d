"""A docker daemon as the registry's client: what a developer's `docker login`, `push` and `pull` do."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import DockerDaemonFailed, DockerRefused
from harbor_verify.model.named_hosts import is_about_another

LABEL = "harbor-verify.run"
# What a daemon says when it, not the registry, is set up wrongly for this registry.
_NOT_THE_REGISTRY = {
    "server gave HTTP response to HTTPS client": "add the registry to `insecure-registries` in its daemon.json",
    "x509": "give the daemon the registry's CA: /etc/docker/certs.d/HOST:PORT/ca.crt",
    "no such host": "the daemon must be able to resolve the registry's name",
    "no route to host": "the daemon must be able to reach the registry",
    "network is unreachable": "the daemon must be able to reach the registry",
}

_ACKNOWLEDGED = re.compile(r"digest: (sha256:[0-9a-f]{64}) size: \d+")
"""What each daemon says last of a push. With the containerd image store, and podman's, it is all that says it."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raises DockerDaemonFailed, `what` first, where the daemon refuses or fails at what is done in the block."""
    try:
        yield
    except APIError as refused:
        raise DockerDaemonFailed(f"{what}: {refused.explanation or refused}") from refused
    except (DockerException, requests.RequestException) as failed:
        raise DockerDaemonFailed(f"{what}: {failed}") from failed


@dataclass(frozen=True)
class Pushed:
    """What a push did: layers, by docker's short ids, that were uploaded, and those that the registry had."""

    digest: str
    uploaded: tuple[str, ...]
    present: tuple[str, ...]


class Docker:
    """One docker daemon. Every method but `close` raises DockerDaemonFailed when the daemon cannot do its part."""

    def __init__(self, host: str | None, *, timeout_s: float) -> None:
        """`host` is a DOCKER_HOST address; None: what the environment says, else the local daemon."""
        self._host, self._timeout_s = host, max(1, round(timeout_s))
        self._client = self._connected()

    def _connected(self) -> docker.DockerClient:
        with asking(f"docker daemon at {self._host or '$DOCKER_HOST or the local socket'}"):
            client = (
                docker.DockerClient(base_url=self._host, timeout=self._timeout_s)
                if self._host
                else docker.from_env(timeout=self._timeout_s)
            )
            client.ping()
        return client

    def close(self) -> None:
        self._client.close()

    @property
    def client(self) -> docker.DockerClient:
        """The library's own client; what it raises is DockerException."""
        return self._client

    def login(self, registry: str, credentials: Credentials) -> None:
        """`docker login`, with these credentials, whatever this machine's own docker has kept. Raises DockerRefused."""
        what = f"docker login {registry}"
        # A connection of its own: what it has read in place of ~/.docker/config.json, whose helpers may not run here,
        # it goes on with.
        with (
            tempfile.NamedTemporaryFile("w", suffix=".json") as nothing_kept,
            closing(self._connected()) as once,
        ):
            nothing_kept.write("{}")
            nothing_kept.flush()
            with asking(what):
                try:
                    once.login(
                        username=credentials.user,
                        password=credentials.password,
                        registry=registry,
                        reauth=True,
                        dockercfg_path=nothing_kept.name,
                    )
                except APIError as refused:
                    raise _blame(what, str(refused.explanation or refused)) from refused

    def import_image(self, archive: bytes, reference: str, *, run_id: str) -> None:
        """Make an image of one layer (a tar archive) that prints /harbor-verify when it runs."""
        repository, _, tag = reference.rpartition(":")
        changes = ['CMD ["/bin/cat", "/harbor-verify"]', f"LABEL {LABEL}={run_id}"]
        with asking(f"docker import {reference}"):
            answer = self._client.api.import_image_from_data(
                archive, repository=repository, tag=tag, changes=changes
            )
        if '"error"' in answer:
            raise DockerDaemonFailed(f"docker import: {answer.strip()}")

    def extend_image(self, base: str, archive: bytes, reference: str, *, run_id: str) -> None:
        """Add the files of a tar archive to `base`, and make it print /harbor-verify when it runs.

        What had to be pulled for it is removed, where the daemon does that.
        """
        missing = self.have(base)
        try:
            with asking(f"making an image of {base}"):
                container = self._client.containers.create(base, command=["true"], network_mode="none")
                try:
                    container.put_archive("/", archive)
                    changes = ['CMD ["cat", "/harbor-verify"]', "ENTRYPOINT []", f"LABEL {LABEL}={run_id}"]
                    container.commit(*split_reference(reference), changes="\n".join(changes))
                finally:
                    container.remove(force=True)
        finally:
            if missing:
                with suppress(DockerDaemonFailed):  # podman keeps what another image is made of
                    self.remove(base)

    def tag(self, reference: str, other: str) -> None:
        """`docker tag`: give an image another name as well."""
        with asking(f"docker tag {reference} {other}"):
            self._client.api.tag(reference, *split_reference(other), force=True)

    def push(self, reference: str, credentials: Credentials) -> str:
        """`docker push`; returns the digest that the registry acknowledged. Raises DockerRefused."""
        return self.push_layers(reference, credentials).digest

    def push_layers(self, reference: str, credentials: Credentials) -> Pushed:
        """`docker push`, and which layers went over the wire. Raises DockerRefused."""
        what = f"docker push {reference}"
        stream = self._call(what, self._client.api.push, *split_reference(reference), credentials=credentials)
        digest, layers = "", {}
        for event in _without_errors(what, stream):
            status = event.get("status") or ""
            said = _ACKNOWLEDGED.search(status)
            digest = (event.get("aux") or {}).get("Digest") or (said[1] if said else digest)
            if event.get("id"):
                layers[event["id"]] = status
        if not digest:
            raise DockerDaemonFailed(f"{what}: it ended, and the daemon does not say with which digest")
        uploaded = tuple(layer for layer, status in layers.items() if status == "Pushed")
        return Pushed(digest, uploaded, tuple(layer for layer in layers if layer not in uploaded))

    def pull(self, reference: str, credentials: Credentials) -> str:
        """`docker pull`; returns the digest of what came. Raises DockerRefused."""
        what = f"docker pull {reference}"
        stream = self._call(what, self._client.api.pull, *split_reference(reference), credentials=credentials)
        for _ in _without_errors(what, stream):
            pass
        repository = reference.rpartition(":")[0]
        with asking(f"docker inspect {reference}"):
            digests = self._client.api.inspect_image(reference).get("RepoDigests") or []
        for entry in digests:
            name, _, digest = entry.partition("@")
            if name == repository:
                return digest
        raise DockerDaemonFailed(f"{what}: the daemon knows no digest of it, only {digests}")

    def remove(self, reference: str) -> None:
        """Forget an image; that it is not there is well."""
        with asking(f"docker rmi {reference}"), suppress(ImageNotFound):
            self._client.images.remove(reference, force=True)

    def names_in(self, repository: str) -> list[str]:
        """All names by which the daemon has images of a repository: REPOSITORY:TAG and REPOSITORY@DIGEST."""
        with asking(f"docker images {repository}"):
            found = self._client.images.list(repository)
        names = [name for each in found for name in (*each.tags, *(each.attrs.get("RepoDigests") or ()))]
        return sorted(name for name in names if name.startswith((f"{repository}:", f"{repository}@")))

    def has(self, reference: str) -> bool:
        """Whether the daemon has an image of that name."""
        with asking(f"docker inspect {reference}"):
            try:
                self._client.api.inspect_image(reference)
            except ImageNotFound:
                return False
        return True

    def have(self, reference: str) -> bool:
        """Pull an image unless the daemon has it, with the daemon's own login; whether it had to."""
        missing = not self.has(reference)
        if missing:
            with asking(f"docker pull {reference}"):
                self._client.images.pull(*split_reference(reference))
        return missing

    def run(self, reference: str) -> str:
        """What the image prints when it runs, without network. Raises DockerDaemonFailed when it does not run."""
        with asking(f"docker run {reference}"):
            output = self._client.containers.run(reference, network_mode="none", remove=True, stderr=True)
        return output.decode(errors="replace")

    def _call(
        self, what: str, call: Any, repository: str, tag: str, *, credentials: Credentials
    ) -> Iterable[dict]:
        auth = {"username": credentials.user, "password": credentials.password}
        with asking(what):
            try:
                return call(repository, tag=tag, stream=True, decode=True, auth_config=auth)
            except APIError as refused:
                raise _blame(what, str(refused.explanation or refused)) from refused


def _without_errors(what: str, stream: Iterable[dict]) -> Iterable[dict]:
    """The events of a stream; the daemon reports failures as events of an answer whose status is 200."""
    try:
        for event in stream:
            if "error" in event:
                raise _blame(what, event["error"])
            yield event
    except requests.RequestException as silent:
        raise DockerDaemonFailed(f"{what}: the daemon stopped answering: {silent}") from silent


def _blame(what: str, message: str) -> DockerRefused | DockerDaemonFailed:
    """`what` is docker's command, and ends with a registry or a reference."""
    if is_about_another(message, what.rpartition(" ")[2]):
        return DockerRefused(f"{what}: {message}")
    for sign, advice in _NOT_THE_REGISTRY.items():
        if sign.lower() in message.lower():
            return DockerDaemonFailed(f"{what}: {message}; {advice}")
    return DockerRefused(f"{what}: {message}")


def split_reference(reference: str) -> tuple[str, str]:
    """(repository, tag) of a reference: host:5000/a/b:c → host:5000/a/b, c; a digest is in the tag's place."""
    repository, at, digest = reference.partition("@")
    if at:
        return repository, digest
    repository, colon, tag = reference.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (reference, "latest")
