"""Debian packages: what the lab needs on this machine, each with the reason."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.command import run
from lab.errors import LabError

NEEDED = {
    "busybox-static": "the pause image; the image that the suite pushes",
    "ceph-common": "ceph: the volumes' administration",
    "ceph-fuse": "what the kubelet mounts CephFS with",
    "ceph-mds": "CephFS metadata",
    "ceph-mgr": "Ceph manager",
    "ceph-mon": "Ceph monitor",
    "ceph-osd": "Ceph storage",
    "chromium": "the browser of the session checks",
    "libnss3-tools": "certutil, which tells that browser of an authority",
    "conntrack": "kube-proxy",
    "containerd": "the nodes' container runtime",
    "containernetworking-plugins": "the pods' network",
    "docker-registry": "the contract tests' registry",
    "docker.io": "the docker daemon that pushes and pulls",
    "ethtool": "kubelet",
    "etcd-server": "the API server's store; what the Patronis agree through",
    "galera-4": "database cluster",
    "haproxy": "in front of Galera, PostgreSQL and Redis",
    "iproute2": "the machines' network",
    "iptables": "kube-proxy",
    "mariadb-backup": "state transfer between Galera nodes",
    "mariadb-server": "database of Harbor 1.2",
    "mmdebstrap": "the images' root file system",
    "postgresql-15": "database of Harbor 2.x",
    "python3-cryptography": "the contract tests' stand-in, which runs as in its image",
    "python3-dateutil": "Patroni",
    "python3-etcd": "Patroni's way to etcd",
    "python3-psutil": "Patroni",
    "python3-psycopg2": "Patroni's and the contract tests' stand-in's way to PostgreSQL",
    "python3-pymysql": "the contract tests' stand-in",
    "python3-redis": "the contract tests' stand-in",
    "python3-urllib3": "Patroni",
    "python3-yaml": "Patroni; the contract tests' stand-in",
    "radosgw": "object storage for images, by S3",
    "redis-sentinel": "fails the session store over",
    "redis-server": "Harbor's session store",
    "runc": "containers",
    "socat": "kubelet, port forwarding; mariadb-backup, transfer",
    "util-linux": "nsenter, unshare",
}


def installed() -> set[str]:
    """The names of the installed packages."""
    listing = run(["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n"])
    return {
        name
        for status, _, name in (line.partition(" ") for line in listing.splitlines())
        if status == "installed"
    }


UNPACKED = ("skopeo", "buildah")
"""Clients beside docker, asked for by `python -m lab clients` only: not installed, but unpacked in the cache."""


def missing(names: frozenset[str] | None = None) -> list[str]:
    """Which of `names` (all that the lab needs) are not installed."""
    return sorted((names or NEEDED.keys()) - installed())


def install(names: list[str]) -> None:
    """Install packages without letting any of them start a service on this machine.

    Raises CommandFailed with apt's own words.
    """
    if not shutil.which("apt-get"):
        raise LabError(
            f"these Debian packages are missing and there is no apt-get to install them: {' '.join(names)}"
        )
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    patiently = "--option=DPkg::Lock::Timeout=300"  # another apt may be at work
    with _no_services():
        run(["dpkg", "--configure", "--pending"], env=env, timeout_s=600)  # what a killed `up` left half-way
        run(["apt-get", "update", "--quiet=2", patiently], env=env, timeout_s=600)
        run(
            ["apt-get", "install", patiently, "--quiet=2", "--yes", "--no-install-recommends", *names],
            env=env,
            timeout_s=1800,
        )


def unpack(names: Sequence[str], folder: Path) -> None:
    """Get packages, with what they need and this machine has not, and unpack them in a folder; nothing is installed.

    Raises CommandFailed with apt's own words.
    """
    run(["apt-get", "update", "--quiet=2"], timeout_s=600)
    plan = run(["apt-get", "install", "--simulate", "--no-install-recommends", *names])
    needed = [words[1] for line in plan.splitlines() if (words := line.split())[:1] == ["Inst"]]
    folder.mkdir(parents=True, exist_ok=True)
    # A package that is installed already is not in the plan.
    run(["apt-get", "download", "--quiet=2", *sorted({*names, *needed})], cwd=folder, timeout_s=600)
    extract(folder, folder)
    for package in folder.glob("*.deb"):
        package.unlink()


def extract(packages: Path, folder: Path) -> None:
    """Unpack every package that lies in `packages` into `folder`, as into `/`. Raises CommandFailed."""
    for package in sorted(packages.glob("*.deb")):
        run(["dpkg-deb", "--extract", str(package), str(folder)])


_WHILE_INSTALLING = {
    Path("/usr/sbin/policy-rc.d"): (
        "#!/bin/sh\n# harbor-lab: installing packages, starting nothing\nexit 101\n"
    ),
    Path("/etc/postgresql-common/createcluster.d/harbor-lab.conf"): (
        "# harbor-lab: installing packages, making no database\ncreate_main_cluster = false\n"
    ),
}


class _no_services:
    """While inside, Debian's package scripts start no service and make no database: the lab has its own."""

    def __enter__(self) -> None:
        # One with our text was left by an `up` that was killed.
        self.ours = [
            path for path, text in _WHILE_INSTALLING.items() if not path.exists() or path.read_text() == text
        ]
        for path in self.ours:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_WHILE_INSTALLING[path])
            path.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        for path in self.ours:
            path.unlink()
