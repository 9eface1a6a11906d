"""The image of the verifier itself, as deploy/verifier/Dockerfile makes it elsewhere: for `make image` and the lab.

Debian's packages come from Debian, Python's from where pip finds them; the verifier is the wheel of this checkout.
"""

import shutil
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from lab import settings
from lab.command import run
from lab.deployment import images
from lab.kubernetes import nodes

_PROJECT = tomllib.loads((settings.REPOSITORY / "pyproject.toml").read_text())["project"]
NAME = f"harbor-verify:{_PROJECT['version']}"
PACKAGES = ("busybox-static", "ca-certificates", "curl", "libstdc++6", "python3")
_PYTHON = "/usr/bin/python3"
"""Debian's, the same as in the image."""
_PLACE = "usr/local/lib/python3.11/dist-packages"
_USER = 65532
START = {
    "Entrypoint": ["harbor-verify"],
    "User": f"{_USER}:{_USER}",
    "WorkingDir": "/tmp",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "MPLCONFIGDIR=/tmp", "COLUMNS=120"],
}
_COMMAND = """#!/usr/bin/python3
from harbor_verify.command import main

raise SystemExit(main())
"""


def build() -> Path:
    """Make the image, unless it is made from what there is now; return its archive, which `docker load` takes.

    Raises CommandFailed when Debian's or Python's packages cannot be had.
    """
    images.FOLDER.mkdir(parents=True, exist_ok=True)
    extras = _PROJECT["optional-dependencies"]
    dependencies = (*_PROJECT["dependencies"], *extras["otlp"], *extras["plots"])
    layers = (
        images.debian_layer("verifier-root", PACKAGES),
        _layer("verifier-packages", " ".join(dependencies).encode(), lambda to: _install(to, *dependencies)),
        _layer("verifier-itself", _own_files(), _install_this),
    )
    return images.archive("verifier", (images.Image(f"docker.io/library/{NAME}", layers, START),))


def ensure() -> None:
    """Make the image, and load it into every node that has not got it. Raises CommandFailed."""
    made = build()
    for each in nodes.ALL.values():
        images.load(each, made)


def _own_files() -> bytes:
    """What a wheel of this checkout is made from, as one piece."""
    places = [settings.REPOSITORY / name for name in ("harbor_verify", "suites", "fixtures")]
    files = [file for place in places for file in place.rglob("*") if "__pycache__" not in file.parts]
    files += [settings.REPOSITORY / name for name in ("pyproject.toml", "README.md")] + [_job()]
    return b"\0".join(
        part
        for file in sorted(files)
        if file.is_file()
        for part in (str(file.relative_to(settings.REPOSITORY)).encode(), file.read_bytes())
    )


def _job() -> Path:
    return settings.REPOSITORY / "deploy" / "verifier" / "harbor-verify-job"


def _layer(name: str, made_from: bytes, fill: Callable[[Path], None]) -> Path:
    """A layer of what `fill` puts into a folder, made once from the same."""
    layer = images.FOLDER / f"layer-{name}-{images.key([made_from, _COMMAND.encode()])}.tar"
    if not layer.exists():
        partial = layer.with_suffix(".partial.tar")
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder))
            with tarfile.open(partial, "w") as tar:
                for each in sorted(Path(folder).iterdir()):
                    tar.add(each, each.name, filter=_of_root)
        partial.rename(layer)
    return layer


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Belongs to root, readable by everybody, of no moment."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = "root"
    entry.mode |= 0o555 if entry.isdir() else 0o444
    return entry


def _install(folder: Path, *words: str) -> None:
    """Install packages as pip knows them into the layer, compiled: where the root is read-only nobody does it later."""
    place = folder / _PLACE
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
        _PYTHON,
        "install",
    ]
    run([*pip, "--target", str(place), "--no-compile", *words], timeout_s=900)
    shutil.rmtree(place / "bin", ignore_errors=True)
    compiler = [_PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    run([*compiler, "-s", str(place), "-p", f"/{_PLACE}", str(place)], timeout_s=300)


def _install_this(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as wheels:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps"]
        run([*pip, "--wheel-dir", wheels, str(settings.REPOSITORY)], timeout_s=300)
        # By its name: of a file pip would write down where it was.
        _install(folder, "--no-deps", "--no-index", f"--find-links={wheels}", _PROJECT["name"])
    programs = folder / "usr" / "local" / "bin"
    programs.mkdir(parents=True)
    (programs / "harbor-verify").write_text(_COMMAND)
    shutil.copyfile(_job(), programs / "harbor-verify-job")
    for program in programs.iterdir():
        program.chmod(0o755)
