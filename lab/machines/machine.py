"""The lab's machines: each has a network, a host name, a /run and a few folders of its own.

A machine is a set of Linux namespaces that live as long as a process in them does. One process, the holder,
keeps them alive; when it and all others of the machine are ended, the kernel takes back the network interfaces,
the firewall rules, the mounts of the pods, the pods' networks and shared memory. That is why `down` leaves nothing,
whatever was killed before.

The machine `control` carries the bridge that joins all machines; one cable from it leads to the host, for the
tests. No machine has a route out of the lab's address range.
"""

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import settings
from lab.command import run
from lab.errors import CommandFailed, LabError
from lab.machines import cgroups
from lab.waiting import NotYet, wait_until

BRIDGE = "bridge"


@dataclass(frozen=True)
class Machine:
    """One machine of the lab: `addresses` are all on its interface eth0, `own_folders` hide the host's."""

    name: str
    addresses: tuple[str, ...]
    own_folders: tuple[str, ...] = ()
    routes: dict[str, str] = field(default_factory=dict, compare=False)
    """Further networks, each with the address of the machine that leads there."""

    @property
    def folder(self) -> Path:
        """Where the machine's own files are, seen from the host."""
        return settings.STATE / "machines" / self.name

    @property
    def _holder_file(self) -> Path:
        return self.folder / "holder"

    def holder(self) -> int | None:
        """The process number of the holder, or None when the machine is not there."""
        return recorded_process(self._holder_file)

    def entering(self) -> list[str]:
        """The words to put before a command so that it runs on this machine.

        Raises LabError when the machine is not there.
        """
        holder = self.holder()
        if holder is None:
            raise LabError(f"machine {self.name} is not running; `python -m lab up` starts it")
        return ["nsenter", f"--target={holder}", "--net", "--mount", "--uts", "--ipc", "--"]

    def run(self, *argv: str | os.PathLike[str], input: str | None = None, timeout_s: float = 120) -> str:
        """Run a command on this machine and return its standard output; raises CommandFailed."""
        return run([*self.entering(), *map(str, argv)], input=input, timeout_s=timeout_s)

    def ensure(self) -> None:
        """Start the machine unless it is there; whatever was left of a dead one is ended first."""
        if self.holder() is not None:
            return
        cgroups.kill(self.name)
        cgroups.create(self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        own = [(self.folder / path.strip("/"), Path(path)) for path in self.own_folders]
        for source, target in own:
            source.mkdir(parents=True, exist_ok=True)
            target.mkdir(parents=True, exist_ok=True)
        script = [
            "mount --make-rshared /",  # shared among this machine's processes, private towards the host
            "mount -t tmpfs -o mode=755 tmpfs /run",
            f"hostname {self.name}",
            *(f"mount --bind {shlex.quote(str(source))} {target}" for source, target in own),
            "ip link set lo up",
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.all.rp_filter=0",
            f"touch {shlex.quote(str(self.folder / 'ready'))}",
            "exec sleep infinity",
        ]
        (self.folder / "ready").unlink(missing_ok=True)
        holder = spawn(
            [
                "unshare",
                "--net",
                "--mount",
                "--uts",
                "--ipc",  # what a killed PostgreSQL leaves of shared memory goes with its machine
                "--propagation=private",
                "--",
                "sh",
                "-ec",
                "\n".join(script),
            ],
            group=cgroups.daemons_group(self.name),
            log=self.folder / "holder.log",
        )
        record_process(self._holder_file, holder.pid)

        def ready() -> None:
            if holder.poll() is not None:
                raise LabError(
                    f"machine {self.name} did not start:\n{(self.folder / 'holder.log').read_text()}"
                )
            if not (self.folder / "ready").exists():
                raise NotYet("its namespaces are being set up")

        wait_until(f"machine {self.name} is there", ready, deadline_s=20, interval_s=0.02)

    def plug_in(self, control: "Machine") -> None:
        """Cable this machine's eth0 to the bridge, with its addresses and routes, unless that is so already."""
        if self is control:
            self._make_bridge()
            device = BRIDGE
        else:
            device = "eth0"
            if not self._has_interface(device):
                cable = f"to-{self.name}"
                _delete_interface(control, cable)
                control.run(
                    "ip", "link", "add", cable, "type", "veth",
                    "peer", "name", device, "netns", str(self.holder()),
                )  # fmt: skip
                control.run("ip", "link", "set", cable, "master", BRIDGE, "up")
        for address in self.addresses:
            self.run("ip", "address", "replace", f"{address}/{settings.LINK_PREFIX}", "dev", device)
        self.run("ip", "link", "set", device, "up")
        if self is not control:
            # Without any route a process could not even address a Service, which kube-proxy then redirects.
            self.run("ip", "route", "replace", settings.LAB_RANGE, "via", settings.CONTROL)
        for network, via in self.routes.items():
            self.run("ip", "route", "replace", network, "via", via)

    def _make_bridge(self) -> None:
        if not self._has_interface(BRIDGE):
            self.run("ip", "link", "add", BRIDGE, "type", "bridge")

    def _has_interface(self, name: str) -> bool:
        return name in interfaces(self)


def interfaces(machine: Machine | None) -> set[str]:
    """The names of the network interfaces of a machine, or of the host."""
    argv = ["ip", "-o", "link", "show"]
    lines = (machine.run(*argv) if machine else run(argv)).splitlines()
    return {line.split(": ")[1].split("@")[0] for line in lines}


def _delete_interface(machine: Machine | None, name: str) -> None:
    if name in interfaces(machine):
        argv = ["ip", "link", "delete", name]
        machine.run(*argv) if machine else run(argv)


def plug_in_host(control: Machine) -> None:
    """Cable the host to the bridge by one interface, so that the tests reach the API server and the NodePorts."""
    cable = "to-host"
    if cable not in interfaces(control):
        _delete_interface(None, settings.LINK)
        run(
            [
                "ip",
                "link",
                "add",
                settings.LINK,
                "type",
                "veth",
                "peer",
                "name",
                cable,
                "netns",
                str(control.holder()),
            ]
        )
        control.run("ip", "link", "set", cable, "master", BRIDGE, "up")
    run(["ip", "address", "replace", f"{settings.HOST}/{settings.LINK_PREFIX}", "dev", settings.LINK])
    run(["ip", "link", "set", settings.LINK, "up"])


def unplug_host() -> None:
    """Take the host's cable away, if it is there, and wait until it has gone."""

    def gone() -> None:
        # When its machine has just been ended the kernel may be taking it away at this very moment.
        try:
            _delete_interface(None, settings.LINK)
        except CommandFailed as failed:
            raise NotYet(str(failed)) from failed

    wait_until(f"interface {settings.LINK} is gone", gone, deadline_s=10, interval_s=0.1)


def spawn(
    argv: Sequence[str],
    *,
    group: Path,
    log: Path,
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a control group and a session of its own, its output appended to `log`.

    The program enters the group before it runs, so there is no moment in which a crash of the lab would lose it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    enter = f'echo $$ > {shlex.quote(str(group / "cgroup.procs"))} && exec "$@"'
    with log.open("ab") as sink:
        return subprocess.Popen(
            ["sh", "-c", enter, "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )


def record_process(file: Path, pid: int) -> None:
    """Remember a process by number and start time: a number alone may be given to another process later."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(f"{pid} {start_time(pid)}")
    partial.rename(file)


def recorded_process(file: Path) -> int | None:
    """The process number in `file` if that very process still runs, else None."""
    try:
        pid, started = file.read_text().split()
    except FileNotFoundError:
        return None
    return int(pid) if start_time(int(pid)) == started else None


def start_time(pid: int) -> str | None:
    """When a process began, in clock ticks since the machine's start, or None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]
