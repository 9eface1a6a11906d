"""HAProxy: one address for the databases and the session store, whichever of their nodes is the right one now.

It asks each node for its role and not only for a connection: a Galera node that has lost its cluster, a PostgreSQL
standby, and a Redis that has been made a replica accept connections all the same, and then refuse to write. And it
does not believe a Redis alone: one that comes back after a failover calls itself primary for 13 s, until the Sentinels
correct it. Nor a PostgreSQL: it is its Patroni that says whether it is primary.
"""

import csv
import re
import socket
from collections.abc import Mapping

from lab import settings
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import galera, postgresql, redis_sentinel
from lab.waiting import NotYet

FOLDER = OUTSIDE.folder / "haproxy"
_CONFIGURATION = FOLDER / "haproxy.cfg"
_STATISTICS = FOLDER / "statistics"
# Of MySQL's protocol: a command's first byte says which it is.
_ASK_STATE = b"\x03SHOW STATUS LIKE 'wsrep_local_state'"
_QUIT = b"\x01"
DAEMON = Daemon("haproxy", OUTSIDE, ("haproxy", "-db", "-f", _CONFIGURATION))


def ensure() -> None:
    """Start HAProxy unless it runs, and wait until it leads to the databases that run and to a session store.

    Raises NotReady, DaemonDied.
    """
    _ensure(configuration())


def spoil(old: str, new: str) -> None:
    """Have it started with one text in the place of another in its configuration, until `ensure` is called.

    Both are patterns as `re.sub` takes them. Raises ValueError where there is nothing to change, NotReady, DaemonDied.
    """
    spoiled, changes = re.subn(old, new, configuration())
    if not changes:
        raise ValueError(f"HAProxy's configuration has no {old!r} to change")
    _ensure(spoiled)


def _ensure(wanted: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not _CONFIGURATION.exists() or _CONFIGURATION.read_text() != wanted:
        DAEMON.stop()
        _CONFIGURATION.write_text(wanted)
    DAEMON.ensure(healthy)


def healthy() -> str:
    """What is there, as a sentence; raises OSError when HAProxy does not answer, LabError when it leads nowhere."""
    states = servers()
    # Each of Harbor's generations has a database of its own, and a lab need not have both.
    leads_to: dict[str, list[str]] = {}
    if _runs(galera.NODES):
        leads_to["Galera"] = [name for name in settings.GALERA if states.get(("database", name)) == "UP"]
    if _runs(postgresql.NODES):
        leads_to["PostgreSQL"] = [
            name for name in settings.POSTGRESQL if states.get(("postgresql", name)) == "UP"
        ]
    if not leads_to:
        raise NotYet("there is no database to lead to")
    leads_to["Redis"] = [name for name in redis_sentinel.DATA_NODES if _leads_to_redis(name, states)]
    state = "leads to " + " and to ".join(
        ", ".join(names) or f"no {what}" for what, names in leads_to.items()
    )
    wanted = {"Galera": len(settings.GALERA), "PostgreSQL": 1, "Redis": 1}
    if any(len(names) != wanted[what] for what, names in leads_to.items()):
        raise NotYet(state)
    return state


def _runs(nodes: Mapping[str, Daemon]) -> bool:
    return any(node.pid() is not None for node in nodes.values())


def _leads_to_redis(name: str, states: dict[tuple[str, str], str]) -> bool:
    def named(other: str) -> int:
        return sum(states.get((_named(other), sentinel)) == "UP" for sentinel in redis_sentinel.SENTINELS)

    is_replaced = any(named(other) >= redis_sentinel.QUORUM for other in redis_sentinel.others(name))
    return states.get((name, name)) == "UP" and not is_replaced


def servers() -> dict[tuple[str, str], str]:
    """What HAProxy thinks of each server: (part, server) → UP, DOWN, … Raises OSError when it does not answer."""
    with socket.socket(socket.AF_UNIX) as statistics:
        statistics.settimeout(2)
        statistics.connect(str(_STATISTICS))
        statistics.sendall(b"show stat\n")
        answer = statistics.makefile("r").read()
    rows = csv.DictReader(answer.removeprefix("# ").splitlines())
    return {(row["pxname"], row["svname"]): row["status"] for row in rows}


def configuration() -> str:
    """The text of haproxy.cfg."""
    galera_servers = "\n".join(
        f"  server {name} {address}:{galera.PORT} check" for name, address in settings.GALERA.items()
    )
    choice = "\n".join(
        " ".join(
            [
                f"  use_backend {name} if {{ nbsrv({name}) ge 1 }}",
                *(
                    f"!{{ nbsrv({_named(other)}) ge {redis_sentinel.QUORUM} }}"
                    for other in redis_sentinel.others(name)
                ),
            ]
        )
        for name in redis_sentinel.DATA_NODES
    )
    patroni = "\n".join(
        f"  server {name} {address}:{postgresql.PORT} check port {postgresql.PATRONI_PORT}"
        for name, address in settings.POSTGRESQL.items()
    )
    redis_servers = "\n".join(_redis(name) for name in redis_sentinel.DATA_NODES)
    choice_by_tls = choice.replace("use_backend redis", "use_backend tls-redis")
    return f"""\
global
  stats socket {_STATISTICS} mode 600
  maxconn 4000

defaults
  mode tcp
  timeout connect 2s
  # Longer than the database's own wait_timeout: idle connections of Harbor's pools are not ours to close.
  timeout client 24h
  timeout server 24h
  # A check says goodbye before it reads the answer: an answer that is not the expected then ends it at once, instead of
  # being waited for until the time is up.
  timeout check 2s
  # A client whose node is lost says no goodbye. What it had begun in a database, it holds, until it is given up: a core
  # in the middle of a push its project's quota, and with it every push into that project.
  option clitcpka
  clitcpka-idle 5s
  clitcpka-intvl 2s
  clitcpka-cnt 3
  option srvtcpka
  # The health user may come from this address only. What is open to a server that goes is closed, so that a client
  # learns of it at once.
  default-server source {settings.LOAD_BALANCER} inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions

# One node for all clients, until it goes: writes to two Galera nodes at once meet at commit, and one of them is
# refused with a deadlock that Harbor does not try again. Sticking to the address that clients ask for keeps all of
# them on the node in use, also when another comes back.
listen database
  bind {settings.LOAD_BALANCER}:{galera.PORT} tcp-ut 10s
  balance first
  stick-table type ip size 16
  stick on dst
  option tcp-check
  tcp-check connect
  tcp-check expect rbinary ^........0[Aa] comment greeting
  tcp-check send-binary {_packet(1, _login(galera.HEALTH_USER))} comment login
  tcp-check expect rbinary ^......0200 comment logged-in
  tcp-check send-binary {_packet(0, _ASK_STATE)}{_packet(0, _QUIT)} comment state-and-quit
  # The row of the answer: name and value, each after its length. 4 is Synced.
  tcp-check expect binary {_text("wsrep_local_state")}{_text("4")} comment synced
{galera_servers}

# The one node that is primary. A Patroni that hangs for a moment, on a machine that is busy, costs nobody a connection.
listen postgresql
  bind {settings.LOAD_BALANCER}:{postgresql.PORT} tcp-ut 10s
  default-server fall 3
  option httpchk OPTIONS /primary
  http-check expect status 200
{patroni}

# Without Sentinels the primary goes on serving; with them, none that they have replaced does.
frontend session-store
  bind {settings.LOAD_BALANCER}:{redis_sentinel.PORT} tcp-ut 10s
{choice}

frontend session-store-by-tls
  bind {settings.LOAD_BALANCER}:{redis_sentinel.TLS_PORT} tcp-ut 10s
{choice_by_tls}
{redis_servers}"""


def _named(redis: str) -> str:
    """The backend whose servers, never connected to but by checks, are the Sentinels that name this Redis primary."""
    return f"sentinels-name-{redis}"


def _redis(name: str) -> str:
    address = settings.REDIS[name]
    sentinels = "\n".join(
        f"  server {sentinel} {settings.REDIS[host]}:{redis_sentinel.SENTINEL_PORT} check"
        for sentinel, host in zip(redis_sentinel.SENTINELS, settings.REDIS, strict=True)
    )
    return f"""
backend {name}
  option tcp-check
  tcp-check connect
  tcp-check send AUTH\\ {redis_sentinel.PASSWORD}\\r\\n
  tcp-check expect string +OK
  tcp-check send INFO\\ replication\\r\\nQUIT\\r\\n
  tcp-check expect string role:master
  server {name} {address}:{redis_sentinel.PORT} check

# The same Redis: what is passed through cannot be asked.
backend tls-{name}
  server {name} {address}:{redis_sentinel.TLS_PORT} track {name}/{name}

backend {_named(name)}
  # A Sentinel knows no goodbye: an answer that names another is waited on for so long.
  timeout check 300ms
  default-server fall 1
  option tcp-check
  tcp-check connect
  tcp-check send SENTINEL\\ GET-MASTER-ADDR-BY-NAME\\ {redis_sentinel.MASTER_NAME}\\r\\n
  tcp-check expect string {address}
{sentinels}
"""


def _packet(number: int, content: bytes) -> str:
    """A packet of MySQL's protocol, in hexadecimal: length (3 bytes, little endian), number, content."""
    return (len(content).to_bytes(3, "little") + bytes([number]) + content).hex()


def _login(user: str) -> bytes:
    """MySQL's HandshakeResponse41 of a user without a password."""
    long_password, protocol_41, secure_connection, plugin_auth = 0x1, 0x200, 0x8000, 0x80000
    flags = long_password | protocol_41 | secure_connection | plugin_auth
    utf8 = 33
    return (
        flags.to_bytes(4, "little")
        + (2**24).to_bytes(4, "little")
        + bytes([utf8])
        + bytes(23)
        + user.encode()
        + b"\0"
        + b"\0"
        + b"mysql_native_password\0"
    )


def _text(value: str) -> str:
    """A text of a result row, in hexadecimal: its length, its bytes."""
    return (bytes([len(value)]) + value.encode()).hex()
