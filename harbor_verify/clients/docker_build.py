"""What a docker daemon does beside pushing and pulling: it builds images, looks into them, and runs servers."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from harbor_verify.clients.busybox import archive
from harbor_verify.clients.docker import LABEL, Docker, asking
from harbor_verify.errors import DockerDaemonFailed

_LINES_OF_OUTPUT = 12
_END_TIMEOUT_S = 60
"""For a program that should end at once."""
_MADE = {LABEL: "build"}


class BuildFailed(DockerDaemonFailed):
    """A build came to no image; the message ends with the last lines of its output."""


class DoesNotRun(DockerDaemonFailed):
    """A server's container cannot be started, has ended, or answers nothing: the daemon does what it is asked."""


@dataclass(frozen=True)
class Ended:
    """What a container that has ended left: its exit code, and all that it wrote, or why it never began."""

    exit_code: int
    output: str


def build(
    docker: Docker,
    files: Mapping[str, bytes],
    dockerfile: str,
    reference: str,
    arguments: Mapping[str, str],
    *,
    timeout_s: float,
) -> None:
    """`docker build` without network, of files by name; `dockerfile` is one of them. Raises BuildFailed."""
    what = f"docker build of {dockerfile} as {reference}"
    output: list[str] = []
    with asking(what):
        events = docker.client.api.build(
            fileobj=io.BytesIO(archive((name, content, 0o755) for name, content in files.items())),
            custom_context=True,
            dockerfile=dockerfile,
            tag=reference,
            buildargs=dict(arguments),
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
            timeout=round(timeout_s),
        )
        for event in events:
            output += filter(None, str(event.get("stream", "")).splitlines())
            if "error" in event:
                last = "\n".join([*output[-_LINES_OF_OUTPUT:], event["error"].strip()])
                raise BuildFailed(f"{what}:\n{last}")


@contextmanager
def _created(docker: Docker, reference: str, command: list[str] | None = None) -> Iterator[Container]:
    """A container that was made and not started, without network; removed at the end, in whatever state."""
    with asking(f"docker create {reference}"):
        container = docker.client.containers.create(reference, command, network_mode="none", labels=_MADE)
    try:
        yield container
    finally:
        with asking(f"docker rm {reference}"):
            container.remove(force=True)


def copy_from(docker: Docker, reference: str, path: str) -> bytes:
    """`docker create`, `docker cp` and `docker rm`: the bytes of one file of an image."""
    with asking(f"docker cp {reference}:{path}"), _created(docker, reference) as container:
        stream, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
            member = tar.extractfile(tar.getmembers()[0])
            return member.read() if member else b""


def run_to_end(docker: Docker, reference: str, command: list[str] | None = None) -> Ended:
    """Run an image to its end, without network. A program that cannot be started ends, too."""
    with asking(f"docker run {reference}"), _created(docker, reference, command) as container:
        try:
            container.start()
        except APIError as not_started:
            return Ended(127, str(not_started.explanation or not_started))
        code = int(container.wait(timeout=_END_TIMEOUT_S)["StatusCode"])
        return Ended(code, container.logs().decode(errors="replace").strip())


@contextmanager
def running(docker: Docker, reference: str) -> Iterator[Container]:
    """A container that runs an image's own command, without network; it is removed at the end. Raises DoesNotRun."""
    what = f"docker run {reference}"
    with _created(docker, reference) as container:
        with asking(what):
            try:
                container.start()
            except APIError as not_started:
                raise DoesNotRun(f"{what}: {not_started.explanation or not_started}") from not_started
        yield container


def answer_of(docker: Docker, container: Container, port: int, asker: str, *, timeout_s: float) -> str:
    """What a server in a container answers on a port of its loopback, asked by `asker`, an image with busybox.

    Asked again until it answers. Raises DoesNotRun where it has not in time, or has ended.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        words = ["/bin/busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/"]
        with asking(f"docker run {asker}"):
            beside = docker.client.containers.create(
                asker, words, network_mode=f"container:{container.id}", labels=_MADE
            )
            try:
                beside.start()
                code = int(beside.wait()["StatusCode"])
                output = beside.logs().decode(errors="replace").strip()
            except (APIError, NotFound) as ended:
                code, output = 1, str(ended)
            finally:
                beside.remove(force=True)
            container.reload()
        if code == 0:
            return output
        if container.status != "running" or time.monotonic() > deadline:
            with asking("docker logs"):
                log = container.logs().decode(errors="replace").strip()
            raise DoesNotRun(
                f"nothing answers on port {port} of the container ({container.status}): {output}; its log: {log}"
            )
        time.sleep(0.2)


def files_of(docker: Docker, reference: str) -> set[str]:
    """The places of all files and links in an image's file system, without a slash at their beginning."""
    with asking(f"docker export of {reference}"), _created(docker, reference) as container:
        with tarfile.open(fileobj=_Stream(container.export()), mode="r|") as tar:
            return {entry.name.removeprefix("./") for entry in tar if not entry.isdir()}


def history_of(docker: Docker, reference: str) -> tuple[str, ...]:
    """`docker history`: what made each layer, the newest first."""
    with asking(f"docker history {reference}"):
        return tuple(entry["CreatedBy"] for entry in docker.client.api.history(reference))


def layers_of(docker: Docker, reference: str) -> tuple[tuple[str, ...], int]:
    """(diff ids, bytes): an image's layers as they are on disk, the base's first, and their size together."""
    with asking(f"docker inspect {reference}"):
        image = docker.client.api.inspect_image(reference)
        return tuple(image["RootFS"]["Layers"]), int(image["Size"])


def remove_intermediate(docker: Docker, run_id: str) -> None:
    """Remove what builds of this run left without a name."""
    with asking("docker image prune"):
        docker.client.images.prune(filters={"dangling": True, "label": f"{LABEL}={run_id}"})


class _Stream(io.RawIOBase):
    """Pieces of bytes, read like a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._left += piece
        given = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(given) :]
        return given
