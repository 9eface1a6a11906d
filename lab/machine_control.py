"""What a disruption may do to the lab's machines, servers and containers, and how it is taken back.

Everything is done by names that the suite learns from Kubernetes or from `serving`; everything is harmless the second
time. `mend_all` takes back whatever a suite that was killed left behind.
"""

import os
import re
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from lab import settings
from lab.command import run
from lab.errors import CommandFailed, LabError
from lab.kubernetes import control_plane
from lab.kubernetes.nodes import ALL as NODES
from lab.machines import cgroups, firewall
from lab.machines.daemons import Daemon
from lab.machines.topology import CONTROL, OUTSIDE
from lab.stores import ceph, galera, load_balancer, object_store, postgresql, redis_sentinel
from lab.waiting import NotYet

DATABASE, SESSION_STORE, FILE_SYSTEM = "database", "session store", "file system"
OBJECT_STORE = "object store"
_ISOLATED, _NAMELESS, _REFUSED = "harbor-lab-isolated", "harbor-lab-nameless", "harbor-lab-refused"
_BROKEN = settings.STATE / "broken-on-purpose"
"""Is there from the first disruption on."""
_FULL = settings.STATE / "full-on-purpose"
"""Holds the folder of the volume that a disruption has filled."""
_A_BYTE = """
import errno, os, sys, tempfile
try:
    with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
        file.write(b"0")
        file.flush()
        os.fsync(file.fileno())
except OSError as refusal:
    sys.exit(f"{refusal}" if refusal.errno not in (errno.EDQUOT, errno.ENOSPC) else 3)
"""
"""Writes a byte in a folder; exit code 3: there is no room for it."""
_NO_ROOM = 3
_DEVICE = "eth0"
_SEND_PACKETS = "for _ in {{1..60}}; do printf %01400d 0 2>/dev/null > /dev/udp/{to}/9 || true; done"
"""From a pod to its node, where nobody takes them."""
_LATELY_MS = 20_000


class MachineControl:
    """For one of the lab's Harbors: each has a database of its own. Raises LabError, OSError."""

    def __init__(self, database_kind: str) -> None:
        """`database_kind`: as the lab's profile calls it, Galera or PostgreSQL."""
        self._kinds: dict[str, Callable[[], str]] = {
            DATABASE: _galera_in_use if database_kind == "Galera" else _postgresql_in_use,
            SESSION_STORE: redis_sentinel.in_use,
            FILE_SYSTEM: lambda: "ceph-mds",
            OBJECT_STORE: lambda: object_store.GATEWAY.name,
        }
        self._servers = {
            DATABASE: list(galera.NODES if database_kind == "Galera" else postgresql.NODES),
            SESSION_STORE: list(redis_sentinel.SERVERS),
            FILE_SYSTEM: [ceph.METADATA_SERVER.name],
            OBJECT_STORE: [object_store.GATEWAY.name],
        }
        self._ensure: dict[str, Callable[[], object]] = {
            DATABASE: galera.ensure if database_kind == "Galera" else postgresql.ensure,
            SESSION_STORE: redis_sentinel.ensure,
            FILE_SYSTEM: ceph.ensure,
            OBJECT_STORE: object_store.start,
        }

    # Containers

    def kill_container(self, node: str, container_id: str) -> None:
        _BROKEN.touch()
        NODES[node].ctr("tasks", "kill", "--signal", "SIGKILL", container_id)

    def pause_container(self, node: str, container_id: str) -> None:
        _BROKEN.touch()
        NODES[node].ctr("tasks", "kill", "--all", "--signal", "SIGSTOP", container_id)

    def resume_container(self, node: str, container_id: str) -> None:
        if first_process(node, container_id):
            NODES[node].ctr("tasks", "kill", "--all", "--signal", "SIGCONT", container_id)

    def is_paused(self, node: str, container_id: str) -> bool:
        return _state(first_process(node, container_id)) == "T"

    def is_running(self, node: str, container_id: str) -> bool:
        return _state(first_process(node, container_id)) not in ("", "Z", "X")

    # A pod's network

    def lose_packets(self, node: str, address: str, percent: int) -> None:
        _BROKEN.touch()
        loss = ("-m", "statistic", "--mode", "random", "--probability", f"{percent / 100}", "-j", "DROP")
        self.free_network(node, address)
        _inside(node, address, "iptables", "-I", "INPUT", "!", "-i", "lo", *loss)
        _inside(node, address, "iptables", "-I", "OUTPUT", "!", "-o", "lo", *loss)

    def slow_down(self, node: str, address: str, kbit_per_s: int) -> None:
        _BROKEN.touch()
        self.free_network(node, address)
        shape = ("tbf", "rate", f"{kbit_per_s}kbit", "burst", "4kb", "latency", "2s")
        _inside(node, address, "tc", "qdisc", "replace", "dev", _DEVICE, "root", *shape)

    def connections(self, node: str, address: str, port: int) -> int:
        here = ("state", "established", "src", f"{address}:{port}")
        last_ms = re.findall(r"\blastrcv:(\d+)", _inside(node, address, "ss", "-Htni", *here))
        return sum(int(each) < _LATELY_MS for each in last_ms)

    def impairment(self, node: str, address: str) -> int:
        _inside(node, address, "bash", "-c", _SEND_PACKETS.format(to=settings.NODES[node]))
        rules = _inside(node, address, "iptables", "-L", "-v", "-n", "-x")
        dropped = _dropped(rules)
        queue = _inside(node, address, "tc", "-s", "qdisc", "show", "dev", _DEVICE)
        held = re.search(r"\btbf\b[\s\S]*?overlimits (\d+)", queue)
        return dropped + (int(held[1]) if held else 0)

    def free_network(self, node: str, address: str) -> None:
        if pid := _process_at(node, address):  # else its network went with it
            _free(pid)

    # Nodes

    def lose_node(self, node: str) -> None:
        _BROKEN.touch()
        CONTROL.run("ip", "link", "set", f"to-{node}", "down")
        NODES[node].kubelet.stop(signal_number=signal.SIGKILL)

    def mend_node(self, node: str) -> None:
        CONTROL.run("ip", "link", "set", f"to-{node}", "up")
        NODES[node].ensure_joined()

    def throttle_node(self, node: str, percent: int) -> None:
        _BROKEN.touch()
        cgroups.limit_cpu(node, percent)

    def throttled(self, node: str) -> int:
        return cgroups.throttled(node)

    def release_node(self, node: str) -> None:
        cgroups.limit_cpu(node, None)

    def exhaust_memory(self, node: str) -> None:
        _BROKEN.touch()
        cgroups.exhaust_memory(node)

    def refused_memory(self, node: str) -> int:
        return cgroups.refused_memory(node)

    def give_memory(self, node: str) -> None:
        cgroups.give_memory(node)

    # A volume

    def fill_volume(self, volume: str) -> None:
        _BROKEN.touch()
        folder = _folder(volume)
        _FULL.write_text(folder)
        ceph.limit(folder, 1)

    def full_on(self, volume: str) -> dict[str, bool]:
        mounted = {name: node.mounts(volume) for name, node in NODES.items()}
        return {
            name: all(_refuses(name, place) for place in places) for name, places in mounted.items() if places
        }

    def make_room(self, volume: str) -> None:
        ceph.limit(_folder(volume), 0)
        _FULL.unlink(missing_ok=True)

    # What all of the cluster stands on

    def lose_names(self) -> None:
        _BROKEN.touch()
        for node in NODES.values():
            for protocol in ("udp", "tcp"):
                question = ("-d", settings.CLUSTER_DNS, "-p", protocol, "--dport", "53")
                mark = ("-m", "comment", "--comment", _NAMELESS)
                node.machine.run("iptables", "-t", "raw", "-I", "PREROUTING", *question, *mark, "-j", "DROP")

    def lost_questions(self) -> dict[str, int]:
        return {name: _lost_questions(name) for name in NODES}

    def give_names(self) -> None:
        for node in NODES.values():
            firewall.remove(node.machine, "raw", _NAMELESS)

    def refuse_api(self) -> None:
        _BROKEN.touch()
        mark = ("-m", "comment", "--comment", _REFUSED)
        port = ("-p", "tcp", "--dport", "6443")
        CONTROL.run("iptables", "-I", "INPUT", *port, *mark, "-j", "REJECT", "--reject-with", "tcp-reset")

    def refused_api_packets(self) -> int:
        return _counted(CONTROL.run("iptables", "-L", "INPUT", "-v", "-n", "-x"), "REJECT", marked=_REFUSED)

    def admit_api(self) -> None:
        firewall.remove(CONTROL, "filter", _REFUSED)
        control_plane.ensure()

    # Servers

    def servers(self, what: str) -> list[str]:
        return self._servers[what]

    def serving(self, what: str) -> str:
        return self._kinds[what]()

    def kill_server(self, server: str) -> None:
        _BROKEN.touch()
        if server in postgresql.NODES:
            postgresql.end(server)
        else:
            _daemon(server).stop(signal_number=signal.SIGKILL)

    def restart_server(self, server: str) -> None:
        _BROKEN.touch()
        # As PostgreSQL's machine is restarted, so that its Patroni goes too.
        if server in postgresql.NODES:
            postgresql.end(server)
        else:
            # A metadata server that is told to end waits for its clients first, which wait for it.
            abrupt = server == ceph.METADATA_SERVER.name
            _daemon(server).stop(signal_number=signal.SIGKILL if abrupt else signal.SIGTERM)
        _daemon(server).start()

    def pause_server(self, server: str) -> None:
        _BROKEN.touch()
        for pid in _processes(server):
            _signal(pid, signal.SIGSTOP)

    def resume_server(self, server: str) -> None:
        for pid in _processes(server):
            _signal(pid, signal.SIGCONT)

    def isolate_server(self, server: str) -> None:
        _BROKEN.touch()
        own, others = _addresses(server)
        for other in others:
            _drop("INPUT", "-s", own, "-d", other)
            _drop("INPUT", "-s", other, "-d", own)

    def swallow_packets(self, server: str) -> None:
        _BROKEN.touch()
        own, _ = _addresses(server)
        _drop("INPUT", "-d", own)
        _drop("OUTPUT", "-s", own)

    def dropped_packets(self, server: str) -> int:
        return _dropped(OUTSIDE.run("iptables", "-L", "-v", "-n", "-x"), marked=_ISOLATED)

    def process_of(self, server: str) -> tuple[int, str]:
        pids = sorted(_processes(server))
        return (pids[0], _state(pids[0])) if pids else (0, "")

    def mend(self, what: str) -> None:
        _rejoin()
        self._ensure[what]()
        load_balancer.ensure()


def mend_all() -> None:
    """Take back what disruptions of a killed suite left, as far as `ensure` of the parts does not."""
    if not _BROKEN.exists():
        return
    _rejoin()
    if _FULL.exists():
        ceph.limit(_FULL.read_text(), 0)
        _FULL.unlink()
    firewall.remove(CONTROL, "filter", _REFUSED)
    for name, node in NODES.items():
        cgroups.limit_cpu(name, None)
        cgroups.give_memory(name)
        firewall.remove(node.machine, "raw", _NAMELESS)
        CONTROL.run("ip", "link", "set", f"to-{name}", "up")
        if node.containerd.pid() is None:
            continue
        for task, pid in _tasks(node.name):
            if _state(pid) == "T":
                node.ctr("tasks", "kill", "--all", "--signal", "SIGCONT", task)
            if _networked(pid):
                _free(pid)
    _BROKEN.unlink()


def _folder(volume: str) -> str:
    """Of a PersistentVolume, in the file system."""
    path = control_plane.kubectl("get", "persistentvolume", volume, "--output=jsonpath={.spec.cephfs.path}")
    if not path:
        raise LabError(f"PersistentVolume {volume} is not on the lab's CephFS")
    return path.strip("/")


def _refuses(node: str, place: str) -> bool:
    """Whether there is no room for a byte."""
    try:
        NODES[node].machine.run("python3", "-c", _A_BYTE, place)
    except CommandFailed as failed:
        if failed.exit_code == _NO_ROOM:
            return True
        raise
    return False


def _galera_in_use() -> str:
    """The node that HAProxy leads to: all clients to the same."""
    # fmt: off
    answer = OUTSIDE.run(
        "timeout", "5", "mariadb", "--no-defaults", f"--host={settings.LOAD_BALANCER}", f"--user={galera.USER}",
        f"--password={galera.PASSWORD}", "--batch", "--skip-column-names",
        input="SELECT @@wsrep_node_name, @@wsrep_on, (SELECT variable_value FROM information_schema.global_status "
        "WHERE variable_name = 'wsrep_ready')",
    )
    # fmt: on
    name, _, ready = answer.split()
    if ready != "ON":
        raise NotYet(f"{name} is not ready")
    return name


def _postgresql_in_use() -> str:
    """The node that HAProxy leads to."""
    states = load_balancer.servers()
    leading = [name for name in postgresql.NODES if states.get(("postgresql", name)) == "UP"]
    if len(leading) != 1:
        raise NotYet(f"HAProxy leads to {', '.join(leading) or 'no PostgreSQL'}")
    return leading[0]


def _daemon(server: str) -> Daemon:
    known = {**galera.NODES, **redis_sentinel.SERVERS, **postgresql.NODES}
    known |= {daemon.name: daemon for daemon in (ceph.METADATA_SERVER, object_store.GATEWAY)}
    if server not in known:
        raise LabError(f"the lab has no server {server}; there are {', '.join(known)}")
    return known[server]


def _processes(server: str) -> Iterable[int]:
    if server in postgresql.NODES:
        # Not its Patroni: one that has slept past its lease wakes up as a second primary, and writes over the first.
        return postgresql.processes(server) - {postgresql.NODES[server].pid()}
    pid = _daemon(server).pid()
    return [pid] if pid else []


def _addresses(server: str) -> tuple[str, list[str]]:
    """A server's address, and those of the others of its kind."""
    for kind in (settings.GALERA, settings.POSTGRESQL, settings.REDIS):
        if server in kind:
            return kind[server], [address for name, address in kind.items() if name != server]
    raise LabError(f"{server} has no others of its kind")


def _drop(chain: str, *which: str) -> None:
    OUTSIDE.run("iptables", "-I", chain, *which, "-j", "DROP", "-m", "comment", "--comment", _ISOLATED)


def _dropped(rules: str, *, marked: str = "") -> int:
    """How many packets were dropped by rules, as `iptables -L -v -n -x` lists them, with this comment."""
    return _counted(rules, "DROP", marked=marked)


def _counted(rules: str, target: str, *, marked: str = "") -> int:
    lines = [line for line in rules.splitlines() if f" {target} " in line and marked in line]
    return sum(int(line.split()[0]) for line in lines)


def _rejoin() -> None:
    firewall.remove(OUTSIDE, "filter", _ISOLATED)


def _lost_questions(node: str) -> int:
    """Ask from a pod there first: what Harbor itself asks hangs on what it remembers."""
    pid = next((pid for _, pid in _tasks(node) if _networked(pid)), 0)
    if not pid:
        raise LabError(f"there is no pod on {node} to ask from")
    _in_network(pid, "bash", "-c", f"echo > /dev/udp/{settings.CLUSTER_DNS}/53")
    rules = NODES[node].machine.run("iptables", "-t", "raw", "-L", "PREROUTING", "-v", "-n", "-x")
    return _dropped(rules, marked=_NAMELESS)


def _tasks(node: str) -> list[tuple[str, int]]:
    """(id, number of the first process on this machine) of each container that runs on a node."""
    lines = NODES[node].ctr("tasks", "list").splitlines()[1:]
    return [(task, int(pid)) for task, pid, *_ in map(str.split, lines)]


def first_process(node: str, container_id: str) -> int:
    """The number of a container's first process; 0 when it does not run."""
    return dict(_tasks(node)).get(container_id, 0)


def _process_at(node: str, address: str) -> int:
    """The number of a process in the pod with that address; 0 when there is none."""
    for _, pid in _tasks(node):
        try:
            if f" {address}/" in _in_network(pid, "ip", "-o", "-4", "address"):
                return pid
        except CommandFailed:
            continue  # it has ended meanwhile
    return 0


def _inside(node: str, address: str, *argv: str) -> str:
    """Run a command in the network of the pod with that address. Raises LabError, CommandFailed."""
    pid = _process_at(node, address)
    if not pid:
        raise LabError(f"no pod on {node} has the address {address}")
    return _in_network(pid, *argv)


def _in_network(pid: int, *argv: str) -> str:
    return run(["nsenter", f"--target={pid}", "--net", "--", *argv])


def _free(pid: int) -> None:
    """Take all rules and shapers from the network that a process is in."""
    _in_network(pid, "iptables", "-F")
    _in_network(pid, "sh", "-c", f"tc qdisc del dev {_DEVICE} root 2>/dev/null || true")


def _networked(pid: int) -> bool:
    """Whether a process has a network that is not a machine's own."""
    try:
        own = str(Path(f"/proc/{pid}/ns/net").readlink())
        machines = {str(Path(f"/proc/{node.machine.holder()}/ns/net").readlink()) for node in NODES.values()}
    except FileNotFoundError:
        return False
    return own not in machines


def _state(pid: int) -> str:
    """The kernel's letter for what a process is doing; T is stopped; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile
