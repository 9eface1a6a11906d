"""The container images of the lab, made on this machine: none can be pulled.

They carry the names of the real images, so that the manifests of `deploy/` run here unchanged, and one root file
system of Debian packages serves all of them as a shared layer.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import settings
from lab.command import run
from lab.errors import CommandFailed, LabError
from lab.kubernetes.nodes import PAUSE_IMAGE, Node
from lab.programs.toolchain import program
from lab.waiting import wait_until

FOLDER = settings.CACHE / "images"
_KEY_LETTERS = 16
_LOST = re.compile(r"blob (sha256:[0-9a-f]+) expected at")
"""What containerd says of a file that is gone."""
DNS_IMAGE = "harbor-lab/coredns:1"
BUSYBOX = Path("/bin/busybox")
ROOT_PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "curl",
    "docker-registry",
    "nginx-light",
    "procps",
    "python3",
    "python3-cryptography",
    "python3-psycopg2",
    "python3-pymysql",
    "python3-redis",
    "python3-yaml",
)
ENTRY_POINT = """#!/bin/sh
# As the real image does: a configuration file alone means "serve this file".
case "$1" in
*.yml | *.yaml) set -- serve "$@" ;;
esac
# Collect garbage at five times what is in use, not at twice: that was a good part of what a pull costs.
exec env GOGC=400 docker-registry "$@"
"""
SAMPLE_REGISTRY_CONFIGURATION = """# What the image brings along: no token service, storage inside the container.
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
"""


@dataclass(frozen=True)
class Image:
    """An image: what it is called, the layers it is made of, and how it starts."""

    name: str
    layers: tuple[Path, ...]
    start: dict


def build() -> Path:
    """Make every image, unless they are made from what there is now; return the one archive that holds them.

    Raises CommandFailed when the root file system cannot be made.
    """
    return archive("images", tuple(_images(_layers())))


def archive(name: str, images: tuple[Image, ...]) -> Path:
    """Make the archive of these images, unless it is there; earlier ones of this name go, with their layers."""
    layers = {layer for image in images for layer in image.layers}
    made = FOLDER / f"{name}-{key([repr(images).encode()])}.tar"
    if not made.exists():
        partial = made.with_suffix(".partial")
        write_archive(partial, images)
        partial.rename(made)
    kinds = {layer.name.rpartition("-")[0] for layer in layers}
    of_before = {old for kind in kinds for old in FOLDER.glob(f"{kind}-{'?' * _KEY_LETTERS}.tar")}
    for old in {*FOLDER.glob(f"{name}-{'?' * _KEY_LETTERS}.tar"), *of_before} - {made, *layers}:
        old.unlink()
    return made


def contents() -> dict[str, str]:
    """What each image is made from, in a few letters, by its name in a manifest: names stay when content changes."""
    return {
        image.name.removeprefix("docker.io/"): key([repr(image).encode()]) for image in _images(_layers())
    }


PARTS = frozenset(
    {
        "harbor-core",
        "harbor-exporter",
        "harbor-jobservice",
        "harbor-portal",
        "harbor-registryctl",
        "nginx-photon",
        "registry-photon",
    }
)
"""The images of the parts of Harbor 2.x that the lab can run, by the last part of their names."""


def repository(image: str) -> str:
    """The last part of an image's name, e.g. registry.example.com:5000/goharbor/harbor-core:v2.13.0 → harbor-core."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def entry_point(image: str) -> list[str]:
    """The command that starts in an image of the stand-in's. Raises LabError where it is none of those."""
    for place, tag, generation, name, words in _STAND_IN:
        if image == f"{place}/harbor-{name}:{tag}":
            return _entry_point(generation, name, words)
    raise LabError(f"what starts in {image} is not known: it is no image of the stand-in")


def load(node: Node, archive: Path) -> None:
    """Import the archive into a node's containerd, unless exactly this archive is there already."""
    stamp = node.machine.folder / archive.name.rpartition("-")[0]
    if not stamp.exists() or stamp.read_text() != archive.name:
        wait_until(
            f"{node.name} has the images", partial(_import, node, archive), deadline_s=60, interval_s=1
        )
        stamp.write_text(archive.name)


def _import(node: Node, archive: Path) -> None:
    try:
        node.ctr("images", "import", str(archive), timeout_s=300)
    except CommandFailed as failed:
        # While containerd removes what the images of before leave behind, it may lose a file, and go on taking it for
        # there: until that is forgotten no import writes it anew.
        for digest in _LOST.findall(failed.output):
            node.ctr("content", "rm", digest)
        raise


def _layers() -> dict[str, Path]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return {
        "root": debian_layer("root", ROOT_PACKAGES),
        "busybox": files_layer("busybox", _busybox_files()),
        "coredns": files_layer("coredns", [("coredns", program("coredns").read_bytes(), 0o755)]),
        "harbor_1": files_layer("harbor_1", _stand_in_files("harbor_1")),
        "harbor_2": files_layer("harbor_2", _stand_in_files("harbor_2")),
        "portal": files_layer("portal", _portal_files()),
        "registry": files_layer("registry", _registry_files()),
    }


_STAND_IN = (
    ("vmware", "v1.2.0", "harbor_1", "ui", ()),
    ("vmware", "v1.2.0", "harbor_1", "adminserver", ()),
    ("vmware", "v1.2.0", "harbor_1", "jobservice", ()),
    ("goharbor", "v2.15.2", "harbor_2", "core", ()),
    ("goharbor", "v2.15.2", "harbor_2", "jobservice", ("-c", "/etc/jobservice/config.yml")),
    ("goharbor", "v2.15.2", "harbor_2", "exporter", ()),
    ("goharbor", "v2.15.2", "harbor_2", "registryctl", ("-c", "/etc/registryctl/config.yml")),
)
"""Whose image, its tag, and the generation, name and words of the program that starts in it."""


def _entry_point(generation: str, name: str, words: tuple[str, ...]) -> list[str]:
    return [f"/harbor/standin/{generation}/bin/harbor_{name}", *words]


def _images(layers: dict[str, Path]) -> Iterable[Image]:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    yield Image(
        f"docker.io/{PAUSE_IMAGE}", (layers["busybox"],), {"Entrypoint": ["/bin/sleep", "2147483647"]}
    )
    yield Image(f"docker.io/{DNS_IMAGE}", (layers["coredns"],), {"Entrypoint": ["/coredns"]})
    for place, tag, generation, name, words in _STAND_IN:
        yield Image(
            f"docker.io/{place}/harbor-{name}:{tag}",
            (layers["root"], layers[generation]),
            {
                "Entrypoint": _entry_point(generation, name, words),
                "WorkingDir": "/harbor",
                "Env": [path],
            },
        )
    for name in ("vmware/registry:2.6.2-photon", "goharbor/registry-photon:v2.15.2"):
        yield Image(
            f"docker.io/{name}",
            (layers["root"], layers["registry"]),
            {"Entrypoint": ["/entrypoint.sh"], "Cmd": ["serve", "/etc/registry/config.yml"], "Env": [path]},
        )
    nginx = {"Cmd": ["nginx", "-g", "daemon off;"], "StopSignal": "SIGQUIT", "Env": [path]}
    for name in ("vmware/nginx-photon:1.11.13", "goharbor/nginx-photon:v2.15.2"):
        yield Image(f"docker.io/{name}", (layers["root"],), nginx)
    yield Image("docker.io/goharbor/harbor-portal:v2.15.2", (layers["root"], layers["portal"]), nginx)


def debian_layer(name: str, packages: tuple[str, ...], folder: Path = FOLDER) -> Path:
    """A root file system of Debian packages, made once; raises CommandFailed where it cannot be."""
    layer = folder / f"layer-{name}-{key([' '.join(packages).encode()])}.tar"
    if not layer.exists():
        partial = layer.with_suffix(".partial.tar")
        run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=essential",
                f"--include={','.join(packages)}",
                "--dpkgopt=force-unsafe-io",  # a file system that is thrown away when it is packed
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-exclude=/usr/share/man/*",
                "--dpkgopt=path-exclude=/usr/share/locale/*",
                '--customize-hook=rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
                "bookworm",
                str(partial),
            ],
            timeout_s=1200,
        )
        partial.rename(layer)
    return layer


def _busybox_files() -> list[tuple[str, bytes | str, int]]:
    applets = ("sh", "sleep", "ls", "cat", "wget", "nc")
    return [
        ("bin/busybox", BUSYBOX.read_bytes(), 0o755),
        *((f"bin/{name}", "busybox", 0o777) for name in applets),
    ]


def _stand_in_files(generation: str) -> list[tuple[str, bytes | str, int]]:
    source = settings.REPOSITORY / "lab" / "harbor"
    others = {folder.name for folder in source.glob("harbor_*")} - {generation}
    files = sorted(
        file
        for file in source.rglob("*")
        if file.is_file() and not {"__pycache__", *others} & set(file.relative_to(source).parts)
    )
    return [
        (
            f"harbor/standin/{file.relative_to(source)}",
            file.read_bytes(),
            0o755 if "bin" in file.parts else 0o644,
        )
        for file in files
    ]


def _portal_files() -> list[tuple[str, bytes | str, int]]:
    source = settings.REPOSITORY / "lab" / "harbor" / "harbor_2" / "portal" / "html"
    return [
        (f"usr/share/nginx/html/{file.relative_to(source)}", file.read_bytes(), 0o644)
        for file in sorted(source.rglob("*"))
        if file.is_file()
    ]


def _registry_files() -> list[tuple[str, bytes | str, int]]:
    sample = SAMPLE_REGISTRY_CONFIGURATION.encode()
    return [
        ("entrypoint.sh", ENTRY_POINT.encode(), 0o755),
        ("etc/registry/config.yml", sample, 0o644),
        ("etc/docker/registry/config.yml", sample, 0o644),
    ]


def files_layer(name: str, files: Iterable[tuple[str, bytes | str, int]], folder: Path = FOLDER) -> Path:
    """A layer of files: place, content (text: a symbolic link to it), mode. Equal files give an equal layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for place, content, mode in files:
            entry = tarfile.TarInfo(place)
            entry.mode = mode
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    layer = folder / f"layer-{name}-{key([buffer.getvalue()])}.tar"
    if not layer.exists():
        partial = layer.with_suffix(".partial.tar")
        partial.write_bytes(buffer.getvalue())
        partial.rename(layer)
    return layer


def key(parts: Iterable[bytes]) -> str:
    """A few letters that tell what something was made from."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_KEY_LETTERS]


def write_archive(file: Path, images: Iterable[Image]) -> None:
    """Write images in the form of `docker save`: per image a configuration, and every layer once."""
    digests: dict[Path, str] = {}
    manifest = []
    with tarfile.open(file, "w") as tar:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

        for image in images:
            for layer in image.layers:
                if layer not in digests:
                    with layer.open("rb") as content:
                        digests[layer] = hashlib.file_digest(content, "sha256").hexdigest()
                    tar.add(layer, arcname=f"{digests[layer]}.tar")
            configuration = json.dumps(
                {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": image.start,
                    "rootfs": {
                        "type": "layers",
                        "diff_ids": [f"sha256:{digests[layer]}" for layer in image.layers],
                    },
                    "history": [{"created_by": "harbor-lab"} for _ in image.layers],
                }
            ).encode()
            digest = hashlib.sha256(configuration).hexdigest()
            add(f"{digest}.json", configuration)
            manifest.append(
                {
                    "Config": f"{digest}.json",
                    "RepoTags": [image.name],
                    "Layers": [f"{digests[layer]}.tar" for layer in image.layers],
                }
            )
        add("manifest.json", json.dumps(manifest).encode())
