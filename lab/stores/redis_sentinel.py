"""Redis, where Harbor keeps its users' sessions: a primary, two replicas, and three Sentinels that fail over.

Whatever is written is appended to a file before it is acknowledged, so that sessions outlive the programs. A primary
that no replica follows takes no writes: one that was cut off, and replaced, is not to acknowledge what is then lost.
Hence two replicas: with one, the loss of either server would end all writes.
Redis and Sentinel rewrite their own configuration after a failover; so it is written once, and from then on the
Sentinels' files say which Redis is the primary.
"""

import hashlib
import shutil
import signal
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from lab import authority, settings
from lab.errors import CommandFailed, DaemonDied, LabError
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.waiting import NotYet, wait_until

PASSWORD = "sessions-of-the-lab"
"""Without a comma: Harbor splits _REDIS_URL at commas. The lab has no secret to keep."""
MASTER_NAME = "harbor"
PORT, SENTINEL_PORT = 6379, 26379
TLS_PORT, SENTINEL_TLS_PORT = 6380, 26380
"""Open beside the others in a store that speaks TLS: there these are what Sentinels name, and what they use."""
TLS_USER, TLS_PASSWORD = "harbor", "sessions-by-tls-of-the-lab"
"""An ACL user, for who comes by TLS."""
FOLDER = OUTSIDE.folder / "redis"
DATA_NODES = tuple(settings.REDIS)
REDIS = Path("/usr/bin/redis-server")
_CERTIFICATE, _KEY = "tls.crt", "tls.key"
_SERVER = OUTSIDE.folder / "session-store"
"""A link to the program that runs as server and as Sentinel: Redis, or what a layout has in its place."""
QUORUM = 2
MAX_MEMORY_BYTES = 128 * 2**20
_ELSEWHERE, _FOREIGN_KEY = "9", "reports-of-another-program"
"""A database that nothing of Harbor's uses, and what is in it."""
_REPLICAS = len(DATA_NODES) - 1
_FEWEST_REPLICAS = 1
"""That must have answered within _LONGEST_LAG_S (they do each second), for a primary to take a write."""
_LONGEST_LAG_S = 2
"""Sooner than another is made the primary."""


@dataclass(frozen=True)
class Kind:
    """What keeps sessions: the program that runs as server and as Sentinel, and whether they speak TLS, too."""

    program: Path = REDIS
    tls: bool = False

    @property
    def port(self) -> int:
        """Where a Redis is asked by its replica and by Sentinels, and where these send their clients."""
        return TLS_PORT if self.tls else PORT


_DOWN_AFTER_MS = 2000
"""Not less: on a machine that is busy a program may not get its turn for a second."""

SERVERS = {
    name: Daemon(name, OUTSIDE, (_SERVER, FOLDER / f"{name}.conf", "--daemonize", "no"))
    for name in DATA_NODES
}
SENTINELS = {
    name.replace("redis", "sentinel"): Daemon(
        name.replace("redis", "sentinel"),
        OUTSIDE,
        (_SERVER, FOLDER / f"{name.replace('redis', 'sentinel')}.conf", "--sentinel", "--daemonize", "no"),
    )
    for name in settings.REDIS
}


def ensure(wanted: Kind | None = None) -> None:
    """Bring up the primary, its replicas and the Sentinels, from whatever is left of them.

    What is of another kind than wanted goes, with all that it kept; None: it is as it is.
    Raises NotReady or DaemonDied.
    """
    kind = wanted or _present() or Kind()
    _be(kind)
    _write_configuration(kind)
    leader = elected_primary()
    for name, server in SERVERS.items():
        # Said on the command line, since the file may be of before the last failover: an old primary would
        # then hand out old sessions until a Sentinel notices.
        follow = ("no", "one") if name == leader else (settings.REDIS[leader], str(kind.port))
        following = replace(server, argv=(*server.argv, "--replicaof", *follow))
        following.ensure(partial(replication, name))
    for name, sentinel in SENTINELS.items():
        sentinel.ensure(partial(redis_cli, _sentinel_address(name), SENTINEL_PORT, "PING"))
    wait_until(
        "Redis has a primary, two replicas and three Sentinels", healthy, deadline_s=60, interval_s=0.1
    )


def healthy() -> str:
    """What is there, as a sentence; raises LabError when a role is not filled or the Sentinels disagree."""
    leader = primary()
    for name in DATA_NODES:
        _must_run(SERVERS[name])
    roles = {name: replication(name) for name in DATA_NODES}
    replicas = others(leader)
    if roles[leader].get("role") != "master":
        raise NotYet(f"the Sentinels name {leader} primary, but it says {roles[leader].get('role')}")
    for replica in replicas:
        follows = roles[replica].get("master_host") == settings.REDIS[leader]
        if not follows or roles[replica].get("master_link_status") != "up":
            raise NotYet(f"{replica} does not follow {leader}: {_link(roles[replica])}")
    # Of those that have answered lately it tells where writes depend on them.
    if roles[leader].get("min_slaves_good_slaves", roles[leader].get("connected_slaves")) != str(_REPLICAS):
        raise NotYet(f"{leader} does not see its replicas yet")
    return f"{leader} is primary, {' and '.join(replicas)} follow it, {len(SENTINELS)} Sentinels agree"


def founded() -> str:
    """When what is there began empty: it is another one than what was there before."""
    return str(_SERVER.lstat().st_mtime_ns) if _SERVER.is_symlink() else ""


def others(name: str) -> list[str]:
    """The other servers' names."""
    return [other for other in DATA_NODES if other != name]


def elected_primary() -> str:
    """The name of the Redis that the Sentinels' files name primary, the latest election deciding.

    Sentinel writes its file before it acts, so the files are right while it runs, too.
    """
    return max(
        elected(sentinel_file.read_text())
        for sentinel_file in (FOLDER / f"{name}.conf" for name in SENTINELS)
    )[1]


def elected(configuration: str) -> tuple[int, str]:
    """The epoch of a Sentinel's last election and the name of the Redis it chose, from the text of its file."""
    address, epoch = "", 0
    for line in configuration.splitlines():
        words = line.split()
        if words[:3] == ["sentinel", "monitor", MASTER_NAME]:
            address = words[3]
        elif words[:3] == ["sentinel", "config-epoch", MASTER_NAME]:
            epoch = int(words[3])
    names = [name for name in DATA_NODES if settings.REDIS[name] == address]
    if not names:
        raise LabError(f"a Sentinel's file names no Redis of this lab as primary, but {address or 'nothing'}")
    return epoch, names[0]


def replication(name: str) -> dict[str, str]:
    """What a Redis says of its role: the fields of INFO replication. Raises CommandFailed."""
    return _fields(redis_cli(settings.REDIS[name], PORT, "INFO", "replication"))


def persist(name: str, on: bool) -> None:
    """Let a Redis write down what it is told, or keep it in memory only, after a restart, too. Raises CommandFailed."""
    _set(name, "appendonly", "yes" if on else "no")


def need_replicas(name: str, on: bool) -> None:
    """Let a Redis, when it is primary, take writes only while a replica follows it, or always; after a restart, too.

    Raises CommandFailed.
    """
    _set(name, "min-replicas-to-write", str(_FEWEST_REPLICAS if on else 0))


def need_sentinels(quorum: int) -> None:
    """Let so many Sentinels have to agree that the primary is gone; they write it down. Raises CommandFailed."""
    for name in SENTINELS:
        address = _sentinel_address(name)
        redis_cli(address, SENTINEL_PORT, "SENTINEL", "SET", MASTER_NAME, "quorum", str(quorum))


def allow_promotion(on: bool) -> None:
    """Let the Sentinels make another Redis the primary, or never, and wait until they know it.

    Raises NotReady, CommandFailed.
    """
    priority = "100" if on else "0"
    for name in DATA_NODES:
        _set(name, "replica-priority", priority)

    def known() -> None:
        for name in SENTINELS:
            told = redis_cli(
                _sentinel_address(name), SENTINEL_PORT, "SENTINEL", "REPLICAS", MASTER_NAME
            ).split()
            said = {value for key, value in pairwise(told) if key == "slave-priority"}
            if said != {priority}:
                raise NotYet(f"{name} knows replicas of priority {', '.join(sorted(said))}")

    # They know it from INFO, which they ask for every 10 s.
    wait_until("the Sentinels know which Redis may be made primary", known, deadline_s=30)


def evict(name: str, policy: str) -> None:
    """Let a Redis choose by this policy what it throws away when its memory is full; after a restart, too.

    Raises CommandFailed.
    """
    _set(name, "maxmemory-policy", policy)


def fill(share: float) -> None:
    """Let somebody else's program keep so much in another database of the session store that, with what is there, this
    share of its memory is used; 0: nothing. Raises NotYet, DaemonDied, CommandFailed.
    """
    server = (settings.REDIS[primary()], PORT)
    redis_cli(*server, "-n", _ELSEWHERE, "DEL", _FOREIGN_KEY)
    memory = dict(line.split(":", 1) for line in redis_cli(*server, "INFO", "memory").split() if ":" in line)
    wanted_bytes = int(share * MAX_MEMORY_BYTES) - int(memory["used_memory"])
    if wanted_bytes > 0:
        redis_cli(*server, "-n", _ELSEWHERE, "SETRANGE", _FOREIGN_KEY, str(wanted_bytes - 1), "x")


def empty(numbers: Iterable[int]) -> None:
    """Forget all that is in these databases of the session store. Raises NotYet, DaemonDied, CommandFailed."""
    for number in numbers:
        redis_cli(settings.REDIS[primary()], PORT, "-n", str(number), "FLUSHDB")


def make_primary(name: str) -> None:
    """Have the Sentinels make this Redis the primary, if it is not, and wait for it. Raises NotReady, CommandFailed."""
    if elected_primary() == name:
        return
    for other in others(name):
        _set(other, "replica-priority", "0")
    try:
        # The Sentinels know priorities from INFO, which they ask for every 10 s.
        wait_until("the Sentinels make another Redis primary", partial(_fail_over, name), deadline_s=60)
        wait_until(f"{name} is primary, and well", healthy, deadline_s=60, interval_s=0.1)
    finally:
        for other in others(name):
            _set(other, "replica-priority", "100")


def _fail_over(name: str) -> None:
    if elected_primary() == name:
        return
    redis_cli(_sentinel_address("sentinel-1"), SENTINEL_PORT, "SENTINEL", "FAILOVER", MASTER_NAME)
    raise NotYet(f"{elected_primary()} is primary")


def _set(name: str, setting: str, value: str) -> None:
    redis_cli(settings.REDIS[name], PORT, "CONFIG", "SET", setting, value)
    # Redis rewrites the file itself after a failover; it keeps what stands in it.
    configuration = FOLDER / f"{name}.conf"
    lines = [line for line in configuration.read_text().splitlines() if line.split()[:1] != [setting]]
    configuration.write_text("\n".join([*lines, f"{setting} {value}", ""]))


def redis_cli(address: str, port: int, *words: str) -> str:
    """Send one command to a Redis, or to a Sentinel, which has no password; raises CommandFailed."""
    password = () if port == SENTINEL_PORT else ("-a", PASSWORD, "--no-auth-warning")
    # `timeout`, so that a Redis which hangs fails the command, which a wait tries again.
    argv = ("timeout", "3", "redis-cli", "-e", "-h", address, "-p", str(port), *password, *words)
    return OUTSIDE.run(*argv)


def primary() -> str:
    """The name of the Redis that all Sentinels name primary now. Raises NotYet, DaemonDied, CommandFailed."""
    said = {}
    for name, sentinel in SENTINELS.items():
        _must_run(sentinel)
        redis_cli(_sentinel_address(name), SENTINEL_PORT, "SENTINEL", "CKQUORUM", MASTER_NAME)
        said[name] = _primary_address(name)
    if len(set(said.values())) > 1:
        raise NotYet(f"the Sentinels disagree on the primary: {said}")
    return _name_of(next(iter(said.values())))


def in_use() -> str:
    """The name of the Redis that most Sentinels name primary now, whichever of them answer. Raises NotYet.

    None that is silent is waited for once the others agree: whoever heals a fault as soon as another takes over meets
    what clients have begun before.
    """
    votes: Counter[str] = Counter()
    asking = ThreadPoolExecutor(len(SENTINELS))
    try:
        for answer in as_completed([asking.submit(_primary_address, name) for name in SENTINELS]):
            with suppress(CommandFailed):
                address = answer.result()
                votes[address] += 1
                if votes[address] > len(SENTINELS) / 2:
                    return _name_of(address)
    finally:
        asking.shutdown(wait=False)
    raise NotYet(f"most Sentinels name no Redis primary: {dict(votes)}")


def _primary_address(sentinel: str) -> str:
    answer = redis_cli(
        _sentinel_address(sentinel), SENTINEL_PORT, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME
    )
    return answer.split()[0]


def _name_of(address: str) -> str:
    return next(name for name in DATA_NODES if settings.REDIS[name] == address)


def _must_run(daemon: Daemon) -> None:
    if daemon.pid() is None:
        raise DaemonDied(f"{daemon.name} does not run; the end of its log:\n{daemon.log_tail()}")


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _link(fields: dict[str, str]) -> str:
    return f"role {fields.get('role')}, link {fields.get('master_link_status', 'none')}"


def _be(kind: Kind) -> None:
    if _present() == kind:
        return
    for daemon in (*SENTINELS.values(), *SERVERS.values()):
        daemon.stop(signal_number=signal.SIGKILL)
    shutil.rmtree(FOLDER, ignore_errors=True)
    _SERVER.unlink(missing_ok=True)
    _SERVER.parent.mkdir(parents=True, exist_ok=True)
    _SERVER.symlink_to(kind.program)


def _present() -> Kind | None:
    if _SERVER.is_symlink() and FOLDER.exists():
        return Kind(_SERVER.readlink(), tls=(FOLDER / _CERTIFICATE).exists())
    return None


def _write_configuration(kind: Kind) -> None:
    if FOLDER.exists():
        return
    partial = FOLDER.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in DATA_NODES:
        (partial / name).mkdir()
        (partial / f"{name}.conf").write_text(_server_configuration(name, kind))
    for name in SENTINELS:
        (partial / f"{name}.conf").write_text(_sentinel_configuration(name, kind))
        (partial / name).mkdir()
    if kind.tls:
        _show_certificate(partial)
    partial.rename(FOLDER)


# All share one machine with many addresses: without being told to announce its own, each would be known by the
# address that the kernel gives to outgoing connections. And a Sentinel whose packets are to vanish would go on taking
# part by those, and have two elected at once.
def _server_configuration(name: str, kind: Kind) -> str:
    return f"""\
bind {settings.REDIS[name]}
bind-source-addr {settings.REDIS[name]}
replica-announce-ip {settings.REDIS[name]}
port {PORT}
dir {FOLDER / name}
requirepass {PASSWORD}
masterauth {PASSWORD}
appendonly yes
appendfsync everysec
save ""
min-replicas-to-write {_FEWEST_REPLICAS}
min-replicas-max-lag {_LONGEST_LAG_S}
maxmemory {MAX_MEMORY_BYTES}
maxmemory-policy noeviction
repl-diskless-sync-delay 0
repl-timeout 10
tcp-keepalive 30
""" + (f"{_tls(TLS_PORT)}user {TLS_USER} on >{TLS_PASSWORD} ~* &* +@all\n" if kind.tls else "")


def _sentinel_configuration(name: str, kind: Kind) -> str:
    # All three know each other and the replicas from the start; finding out takes them seconds.
    first = DATA_NODES[0]
    port = SENTINEL_TLS_PORT if kind.tls else SENTINEL_PORT
    known = [
        f"sentinel known-replica {MASTER_NAME} {settings.REDIS[other]} {kind.port}" for other in others(first)
    ] + [
        f"sentinel known-sentinel {MASTER_NAME} {_sentinel_address(peer)} {port} {_identity(peer)}"
        for peer in SENTINELS
        if peer != name
    ]
    address = _sentinel_address(name)
    return (
        f"""\
bind {address}
bind-source-addr {address}
sentinel announce-ip {address}
port {SENTINEL_PORT}
dir {FOLDER / name}
protected-mode no
sentinel myid {_identity(name)}
sentinel monitor {MASTER_NAME} {settings.REDIS[first]} {kind.port} {QUORUM}
sentinel auth-pass {MASTER_NAME} {PASSWORD}
sentinel down-after-milliseconds {MASTER_NAME} {_DOWN_AFTER_MS}
sentinel failover-timeout {MASTER_NAME} 10000
sentinel parallel-syncs {MASTER_NAME} 1
"""
        + "\n".join(known)
        + "\n"
        + (_tls(SENTINEL_TLS_PORT) if kind.tls else "")
    )


def _tls(port: int) -> str:
    return f"""\
tls-port {port}
tls-cert-file {FOLDER / _CERTIFICATE}
tls-key-file {FOLDER / _KEY}
tls-ca-cert-file {authority.certificate_file()}
tls-auth-clients no
tls-replication yes
"""


def _show_certificate(folder: Path) -> None:
    """Write the files of a certificate of the private authority, for each address that leads to a Redis."""
    issued = authority.pair("redis", (settings.LOAD_BALANCER, *settings.REDIS.values()))
    (folder / _CERTIFICATE).write_text(issued.certificate)
    key = folder / _KEY
    key.touch(mode=0o600)
    key.write_text(issued.key)


def _sentinel_address(name: str) -> str:
    return settings.REDIS[name.replace("sentinel", "redis")]


def _identity(sentinel: str) -> str:
    return hashlib.sha1(sentinel.encode(), usedforsecurity=False).hexdigest()
