"""The images that the suite builds on, for the lab's docker daemon: none can be pulled.

A builder (Go, a C compiler, and one for musl), a whole distribution, and a small base of musl and busybox. They are
made when a check first asks for them, and kept in the cache.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import settings
from lab.command import run
from lab.deployment import images
from lab.machines import docker_daemon
from lab.programs import toolchain

FOLDER = settings.CACHE / "bases"
BUILDER_PACKAGES = ("ca-certificates", "gcc", "libc6-dev", "musl-tools")
_PATH = "PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MUSL = "usr/lib/x86_64-linux-musl/libc.so"
"""Debian's musl: its loader and its C library are one file."""
_APPLETS = ("sh", "cat", "ls", "sleep", "wget")
_NOT_NEEDED = ("test/", "api/", "doc/", "misc/", "src/cmd/")
"""Folders of the Go toolchain that compile nothing of ours."""


@dataclass(frozen=True)
class Bases:
    """Names of images in the lab's docker daemon; whoever has built on them may remove them there."""

    builder: str
    distribution: str
    small: str


def ensure() -> Bases:
    """Make what is missing and give it to the docker daemon. Raises CommandFailed, LabError."""
    archive, bases = _archive()
    docker = ("docker", f"--host={docker_daemon.HOST}")
    there = run([*docker, "image", "ls", "--format={{.Repository}}:{{.Tag}}"]).split()
    if not {bases.builder, bases.distribution, bases.small} <= set(there):
        run([*docker, "load", "--quiet", f"--input={archive}"], timeout_s=600)
    return bases


def _archive() -> tuple[Path, Bases]:
    """The archive, and what the images in it are called: by what they are made of."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    go = Path(run([toolchain.go(), "env", "GOROOT"]).strip())
    key = images.key([repr((BUILDER_PACKAGES, _APPLETS, _NOT_NEEDED)).encode(), _version(go)])
    bases = Bases(*(f"harbor-lab/{name}:{key}" for name in ("builder", "debian", "busybox-musl")))
    archive = FOLDER / f"bases-{key}.tar"
    if archive.exists():
        return archive, bases
    builder = images.debian_layer("builder", BUILDER_PACKAGES, FOLDER)
    small = images.files_layer("small", list(_small_files(builder)), FOLDER)
    root = images.debian_layer("root", images.ROOT_PACKAGES)
    start = {"Env": [_PATH], "Cmd": ["/bin/sh"]}
    partial = archive.with_suffix(".partial")
    images.write_archive(
        partial,
        [
            images.Image(bases.builder, (builder, _go_layer(go)), start),
            images.Image(bases.distribution, (root,), start),
            images.Image(bases.small, (small,), start),
        ],
    )
    partial.rename(archive)
    for old in set(FOLDER.iterdir()) - {archive}:
        old.unlink()
    return archive, bases


def _version(go: Path) -> bytes:
    return (go / "VERSION").read_bytes()


def _go_layer(go: Path) -> Path:
    layer = FOLDER / "layer-go.tar"

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        place = entry.name.removeprefix("usr/local/go/")
        return None if place.startswith(_NOT_NEEDED) or place.endswith("_test.go") else entry

    with tarfile.open(layer, "w") as tar:
        tar.add(go, arcname="usr/local/go", filter=wanted)
    return layer


def _small_files(builder: Path) -> Iterator[tuple[str, bytes | str, int]]:
    with tarfile.open(builder) as tar:
        name = next(name for name in (f"./{_MUSL}", _MUSL) if name in tar.getnames())
        musl = tar.extractfile(name) or io.BytesIO()
        yield _MUSL, musl.read(), 0o755
    yield "lib/ld-musl-x86_64.so.1", f"/{_MUSL}", 0o777
    yield "bin/busybox", images.BUSYBOX.read_bytes(), 0o755
    for applet in _APPLETS:
        yield f"bin/{applet}", "busybox", 0o777
