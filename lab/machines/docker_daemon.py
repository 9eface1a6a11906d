"""A docker daemon, as the users of a registry have one, on a machine of its own."""

from pathlib import Path

from lab import profiles, settings
from lab.command import run
from lab.machines import cgroups
from lab.machines.daemons import Daemon
from lab.machines.topology import CERTIFICATES, CLIENT

HOST = f"unix://{settings.DOCKER_SOCKET}"
DAEMON = Daemon(
    "dockerd",
    CLIENT,
    (
        # Its containerd ends with it, but leaves its number behind; the next one would wait for it, and give up.
        *("sh", "-c", 'rm -f /run/docker/containerd/containerd.pid && exec "$@"', "sh"),
        "dockerd",
        f"--host={HOST}",  # a path that the host sees, too: only /run and /var/lib/docker are the machine's own
        "--data-root=/var/lib/docker",
        "--exec-root=/run/docker",
        "--pidfile=",  # none: one that outlives a killed daemon can keep the next from starting
        f"--cgroup-parent=/{cgroups.ROOT}/{CLIENT.name}",
        # The lab's Harbor speaks plain HTTP, as the reference deployment does; what has TLS is verified (`trust`).
        *(f"--insecure-registry={profile.url.removeprefix('http://')}" for profile in profiles.ALL.values()),
        # Its containers have no network: the daemon itself does the pushing and pulling.
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
    ),
)


def trust(url: str, authority: Path) -> None:
    """Let the daemon trust the registry at an https URL by this authority's certificate (PEM).

    Read at each push and pull, so nothing is restarted.
    """
    folder = f"{CERTIFICATES}/{url.removeprefix('https://')}"
    CLIENT.run("mkdir", "-p", folder)
    CLIENT.run("cp", str(authority), f"{folder}/ca.crt")


def ensure() -> None:
    """Start the daemon unless it runs, and wait until it answers; raises NotReady, DaemonDied."""
    DAEMON.ensure(healthy, deadline_s=60)


def healthy() -> str:
    """What is there, as a sentence; raises CommandFailed when the daemon does not answer."""
    # `timeout`, so that a daemon which hangs fails the command, which a wait tries again.
    version = run(["timeout", "5", "docker", f"--host={HOST}", "version", "--format={{.Server.Version}}"])
    return f"version {version.strip()} answers"
