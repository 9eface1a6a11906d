"""The images that the suite builds on, for the lab's docker daemon: none can be pulled.

A builder (Go, a C compiler, and one for musl), a whole distribution, and a small base of musl and busybox. They are
made by `lab bases`, or when a check first asks for them, and kept in the cache.
"""

import io
import os
import shutil
import tarfile
import tempfile
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
_WAYS_OF_LINKING = (("CGO_ENABLED=0",), ("CGO_ENABLED=1", "CC=gcc"), ("CGO_ENABLED=1", "CC=musl-gcc"))
_FAR_AHEAD_S = 4102444800
"""The year 2100. Go removes what has been in its cache for days, and touches what it uses, which copies it."""


@dataclass(frozen=True)
class Bases:
    """Names of images in the lab's docker daemon; whoever has built on them may remove them there."""

    builder: str
    distribution: str
    small: str


def ensure() -> Bases:
    """Make what is missing and give it to the docker daemon. Raises CommandFailed, LabError."""
    archive, bases = make()
    docker = ("docker", f"--host={docker_daemon.HOST}")
    there = run([*docker, "image", "ls", "--format={{.Repository}}:{{.Tag}}"]).split()
    if not {bases.builder, bases.distribution, bases.small} <= set(there):
        run([*docker, "load", "--quiet", f"--input={archive}"], timeout_s=600)
    return bases


def make() -> tuple[Path, Bases]:
    """The archive, and what the images in it are called: by what they are made of. Minutes, the first time.

    Raises CommandFailed, LabError.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    go = Path(run([toolchain.go(), "env", "GOROOT"]).strip())
    made_of = (BUILDER_PACKAGES, _APPLETS, _NOT_NEEDED, _WAYS_OF_LINKING)
    key = images.key([repr(made_of).encode(), _version(go)])
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
            images.Image(bases.builder, (builder, _go_layer(go, builder)), start),
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


def _go_layer(go: Path, builder: Path) -> Path:
    """Go, and what a web server needs of its library, compiled: a build compiles the server alone, in seconds."""
    layer, place = FOLDER / "layer-go.tar", "usr/local/go"

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = entry.name.removeprefix(f"{place}/")
        return None if name.startswith(_NOT_NEEDED) or name.endswith("_test.go") else entry

    with tempfile.TemporaryDirectory() as folder, tarfile.open(layer, "w") as tar:
        run(["tar", "--extract", "--directory", folder, "--file", str(builder)], timeout_s=300)
        shutil.copytree(go, f"{folder}/{place}", symlinks=True)
        for way in _WAYS_OF_LINKING:
            settled = (_PATH, f"GOROOT=/{place}", "GOTOOLCHAIN=local", "HOME=/root", *way)
            run(["chroot", folder, "env", "-i", *settled, "go", "build", "net/http"], timeout_s=600)
        for compiled in Path(folder, "root/.cache").rglob("*"):
            os.utime(compiled, (_FAR_AHEAD_S, _FAR_AHEAD_S))
        tar.add(f"{folder}/{place}", arcname=place, filter=wanted)
        tar.add(f"{folder}/root/.cache", arcname="root/.cache")
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
