"""PostgreSQL for Harbor 2.x: a primary and a streaming standby, which Patroni watches and fails over.

The two Patronis agree through an etcd of their own, and bring back by themselves most of what ends while they run.
`ensure` adds what they do not do: a standby that cannot go on is given everything anew, and so is a primary with broken
tables, which they would keep as long as it runs.
"""

import base64
import http.client
import json
import os
import signal
from pathlib import Path

import yaml

from lab import authority, settings
from lab.errors import CommandFailed, DaemonDied, NotReady
from lab.machines import cgroups, firewall
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.programs import toolchain
from lab.stores import templates
from lab.waiting import NotYet, wait_until

DATABASE, USER, PASSWORD = "registry", "harbor", "rows-of-the-lab"
"""What Harbor connects with; the lab has no secret to keep."""
OWN_DATABASE = "given"
"""Of a Harbor whose manifests somebody gave."""
SECOND_DATABASE = "second"
"""Of another Harbor beside the one that is judged."""
PORT = 5432
PATRONI_PORT = 8008
"""Where each node's Patroni says what its node is: /primary answers 200 on the primary only."""
FOLDER = OUTSIDE.folder / "postgresql"
_CERTIFICATE, _KEY = "server.crt", "server.key"
_SCOPE = "harbor"
_STORE_PORT = 2379
_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env")
_REPLICATOR = {"username": "replicator", "password": "follows-in-the-lab"}
_REWINDER = {"username": "rewinder", "password": "rewinds-in-the-lab"}
_FOUNDED = FOLDER / "founded"
"""Is there once the cluster has been made whole with Harbor's database in it: what is there before is thrown away."""
_NEVER_PRIMARY = FOLDER / "never-primary"
"""Names the node that Patroni is not to make the primary; not there: it may make either."""
_UNAWAITED = FOLDER / "unawaited"
"""Is there while no commit waits for the standby."""

STORE = Daemon(
    "patroni-etcd",
    OUTSIDE,
    (
        "etcd",
        f"--data-dir={FOLDER / 'etcd'}",
        f"--listen-client-urls=http://{settings.PATRONI_ETCD}:{_STORE_PORT}",
        f"--advertise-client-urls=http://{settings.PATRONI_ETCD}:{_STORE_PORT}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # a lab survives the loss of its programs, not of its machine
    ),
)
_PATRONI = OUTSIDE.folder / toolchain.patroni().name
"""Of the lab's own: the cache may lie where PostgreSQL's user comes into no folder."""
NODES = {
    name: Daemon(
        name,
        OUTSIDE,
        (
            *_AS_POSTGRES,
            *("env", f"PYTHONPATH={_PATRONI}", "/usr/bin/python3", "-m", "patroni"),
            FOLDER / name / "patroni.yml",
        ),
    )
    for name in settings.POSTGRESQL
}


def ensure() -> None:
    """Bring up the primary and its standby with Harbor's role and database in them, from whatever is left of them.

    Raises NotReady or DaemonDied.
    """
    if not _FOUNDED.exists() or not any(_has_data(name) for name in NODES):
        _clear()
    _lay_out()
    STORE.ensure(lambda: _request(settings.PATRONI_ETCD, _STORE_PORT, "GET", "/health"))
    for name in NODES:
        _resume(name)
    wait_until("Patroni watches over PostgreSQL", lambda: watch(True), deadline_s=45, interval_s=0.2)
    try:
        wait_until("PostgreSQL has a primary", _writable, deadline_s=45, interval_s=0.1)
    except NotReady:
        _give_up_the_unable()
        wait_until("PostgreSQL has a primary", _writable, deadline_s=45, interval_s=0.1)
    _create_database()
    try:
        wait_until("PostgreSQL has a primary and a standby", healthy, deadline_s=30, interval_s=0.2)
    except (DaemonDied, NotReady):
        # The standby cannot go on from what it has (or its Patroni saw that and ended): it gets everything anew. Or who
        # has everything was written down by another primary, which was one for a moment only.
        _forget_who_had_everything()
        for name in NODES.keys() - {primary()}:
            end(name)
            templates.remove(FOLDER / name / "data")
            _resume(name)
        wait_until("PostgreSQL has a primary and a standby", healthy, deadline_s=60, interval_s=0.2)
    _FOUNDED.touch()


def healthy() -> str:
    """What is there, as a sentence.

    Raises LabError or OSError when there is not one primary and one standby that has all that was acknowledged.
    """
    for daemon in (STORE, *NODES.values()):
        _must_run(daemon)
    leader = primary()
    (standby,) = NODES.keys() - {leader}
    its = status(standby)
    if its.get("role") != "replica" or _ask(standby, "SELECT pg_is_in_recovery()").strip() != "t":
        raise NotYet(f"{standby} is {its.get('role')}, beside the primary {leader}")
    followers = [row.split("\t") for row in _ask(leader, _FOLLOWERS).splitlines()]
    how = "async" if _UNAWAITED.exists() else "sync"
    if followers != [[standby, "streaming", how]]:
        raise NotYet(f"{standby} does not follow {leader}: {followers or 'nothing does'}")
    if how == "sync" and not its.get("sync_standby"):
        # Seconds after the standby has everything it is written down; until then nothing would replace the primary.
        raise NotYet(f"{standby} is not yet known as the one that can replace {leader}")
    return f"{leader} is primary, {standby} follows it {'synchronously' if how == 'sync' else 'unawaited'}"


_FOLLOWERS = "SELECT application_name, state, sync_state FROM pg_stat_replication ORDER BY application_name"


def primary() -> str:
    """The name of the node that is primary; raises NotYet when there is not exactly one."""
    said = {name: _said_by(name) for name in NODES}
    leaders = [name for name, (role, state) in said.items() if role in _PRIMARY and state == "running"]
    if len(leaders) != 1:
        states = ", ".join(f"{name} is {role}, {state}" for name, (role, state) in said.items())
        raise NotYet(f"{len(leaders)} primaries: {states}")
    return leaders[0]


_PRIMARY = ("master", "primary")
"""What Patroni calls it, until its version 4 and since."""


def _said_by(name: str) -> tuple[object, object]:
    try:
        its = status(name)
    except (NotYet, OSError) as error:
        return "silent", error
    return its.get("role"), its.get("state")


def status(name: str) -> dict[str, object]:
    """What a node's Patroni says of it: role, state, timeline, … Raises OSError, NotYet."""
    return _request(settings.POSTGRESQL[name], PATRONI_PORT, "GET", "/patroni")


def sql(statements: str, database: str = DATABASE, *, timeout_s: float = 10) -> str:
    """Run SQL on the primary as its administrator; one line a row, tabs between columns.

    Raises NotYet when there is no primary, CommandFailed when it refuses or does not answer.
    """
    return _ask(primary(), statements, database, timeout_s)


def dump(database: str = DATABASE) -> str:
    """A database as SQL, of one moment. Raises NotYet, CommandFailed."""
    return OUTSIDE.run(
        *_AS_POSTGRES, "pg_dump", f"--host={FOLDER / primary()}", f"--port={PORT}", "--no-owner", "--no-privileges",
        database,
    )  # fmt: skip


def load(text: str, name: str) -> None:
    """Make a database of Harbor's user of a dump, in place of what was there. Raises NotYet, CommandFailed."""
    remove_database(name)
    sql(f"CREATE DATABASE {name} OWNER {USER}", timeout_s=60)
    sql(f"SET ROLE {USER};\n{text}", name, timeout_s=120)


def remove_database(name: str) -> None:
    """Remove a database, if it is there. Raises NotYet, CommandFailed."""
    sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", timeout_s=60)


def ensure_own_database(version: str, name: str = OWN_DATABASE) -> None:
    """Make another database, empty, unless that of this version is there. Raises NotYet, CommandFailed."""
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
    if sql(f"{comment} '{name}'").strip() != version:
        remove_database(name)
        sql(f"CREATE DATABASE {name} OWNER {USER}", timeout_s=60)
        sql(f"COMMENT ON DATABASE {name} IS '{version}'")


def allow_promotion(on: bool) -> None:
    """Let Patroni make the standby the primary when that is lost, or never: also after `ensure`.

    Raises NotYet, CommandFailed.
    """
    if on:
        _NEVER_PRIMARY.unlink(missing_ok=True)
    else:
        (standby,) = NODES.keys() - {primary()}
        _NEVER_PRIMARY.write_text(standby)
    _lay_out()


def watch(on: bool) -> None:
    """Let Patroni watch over both nodes, or do nothing at all, as `patronictl pause` does. Raises NotYet, OSError."""
    node = next(iter(settings.POSTGRESQL.values()))
    if bool(_request(node, PATRONI_PORT, "GET", "/config").get("pause")) is on:
        _set({"pause": None if on else True})


def wait_for_standby(on: bool) -> None:
    """Let each commit wait until the standby has it; or none, and let Patroni promote it whatever it lacks.

    Raises NotYet, OSError.
    """
    if on:
        usual = {name: _PARAMETERS[name] for name in _FOR_EVER}
        _set({"synchronous_mode": True, "maximum_lag_on_failover": None, "postgresql": {"parameters": usual}})
        _UNAWAITED.unlink(missing_ok=True)
    else:
        _UNAWAITED.touch()
        _set(
            {
                "synchronous_mode": False,
                "maximum_lag_on_failover": 2**30,
                "postgresql": {"parameters": _FOR_EVER},
            }
        )


_FOR_EVER = {
    "tcp_keepalives_idle": 7200,
    "tcp_user_timeout": 0,
    "wal_receiver_timeout": 0,
    "wal_sender_timeout": 0,
}
"""With these a standby that has gone without a word is never given up."""


def starve_standby(on: bool) -> None:
    """Let nothing of what the primary sends reach the standby that follows it now; or again.

    Raises NotYet, CommandFailed.
    """
    firewall.remove(OUTSIDE, "filter", _STARVED)
    if on:
        leader = primary()
        # Who connects to an address of the same machine comes from that address: the standby is known by its port.
        port = _ask(leader, "SELECT client_port FROM pg_stat_replication").strip()
        sent = ("-s", settings.POSTGRESQL[leader], "-p", "tcp", f"--sport={PORT}", f"--dport={port}")
        OUTSIDE.run("iptables", "-I", "INPUT", *sent, "-j", "DROP", "-m", "comment", "--comment", _STARVED)


_STARVED = "harbor-lab-starved"


def _set(changes: dict[str, object]) -> None:
    """Change what all Patronis are told; None takes away. Raises NotYet, OSError."""
    _request(next(iter(settings.POSTGRESQL.values())), PATRONI_PORT, "PATCH", "/config", json.dumps(changes))


def processes(name: str) -> set[int]:
    """The process numbers of a node: Patroni, PostgreSQL, which outlives its Patroni, and what either called."""
    return {pid for pid in cgroups.processes(OUTSIDE.name) if _belongs(pid, FOLDER / name)}


def end(name: str) -> None:
    """End all processes of a node at once, as the loss of its machine would."""

    def gone() -> None:
        left = processes(name)
        for pid in left:
            _signal(pid, signal.SIGKILL)
        if left:
            raise NotYet(f"{len(left)} processes: {sorted(left)}")

    wait_until(f"{name} has ended", gone, deadline_s=20, interval_s=0.05)


def _belongs(pid: int, folder: Path) -> bool:
    # PostgreSQL's processes work inside the data folder and change their command lines; the others name the folder.
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        return f"{folder}/" in command or Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder)
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile


def _resume(name: str) -> None:
    """Start a node's Patroni unless it runs, and let whatever of the node was paused go on."""
    patroni = NODES[name].pid()
    if patroni is not None and _is_paused(patroni):
        # It would go on with what it knew before, and take the lead from the node that has replaced its own meanwhile.
        NODES[name].stop(signal_number=signal.SIGKILL)
    if NODES[name].pid() is None and not _has_data(name):
        end(name)
        # What an interrupted copy left; Patroni would take it for a database.
        templates.remove(FOLDER / name / "data")
    remaining = processes(name)
    for pid in remaining:
        _signal(pid, signal.SIGCONT)
    if not remaining:
        # A PostgreSQL that finds the lock of one whose end nobody has taken note of yet (the host's first process may
        # need seconds) thinks that it still runs. Patroni then "recovers" the copy, which from there on is no copy.
        for lock in (*(FOLDER / name).glob(".s.PGSQL.*"), FOLDER / name / "data" / "postmaster.pid"):
            lock.unlink(missing_ok=True)
    NODES[name].start()


def _is_paused(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended


def _has_data(name: str) -> bool:
    # Written last, by initdb as well as by a copy from the primary.
    return (FOLDER / name / "data" / "global" / "pg_control").exists()


def _must_run(daemon: Daemon) -> None:
    if daemon.pid() is None:
        raise DaemonDied(f"{daemon.name} does not run; the end of its log:\n{daemon.log_tail()}")


def _writable() -> None:
    if all(node.pid() is None for node in NODES.values()):
        _must_run(next(iter(NODES.values())))
    # A primary that has just been chosen may still be on its way from standby.
    if _ask(primary(), "SELECT pg_is_in_recovery()").strip() != "f":
        raise NotYet(f"{primary()} still recovers")


def _create_database() -> None:
    if not sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{USER}'", "postgres").strip():
        sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'", "postgres")
    if not sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", "postgres").strip():
        sql(f"CREATE DATABASE {DATABASE} OWNER {USER}", "postgres", timeout_s=60)


def _ask(name: str, statements: str, database: str = "postgres", timeout_s: float = 10) -> str:
    # `timeout`, so that a node which hangs fails the command, which a wait tries again.
    return OUTSIDE.run(
        "timeout", str(timeout_s), *_AS_POSTGRES,
        "psql", "--no-psqlrc", f"--host={FOLDER / name}", f"--port={PORT}", f"--dbname={database}",
        "--quiet", "--no-align", "--tuples-only", "--field-separator=\t", "--set=ON_ERROR_STOP=1",
        input=statements,
    )  # fmt: skip


def _give_up_the_unable() -> None:
    """Let a node that answers become primary, as far as it got, when Patroni does not find one by itself.

    It does not when the last primary neither ends nor answers, e.g. with broken tables, or cannot start again while the
    other is not known to have everything.
    """
    able = {name for name in NODES if _answers(name)}
    if able:
        for name in NODES.keys() - able:
            end(name)
            templates.remove(FOLDER / name / "data")
            _resume(name)
        _forget_who_had_everything()


def _forget_who_had_everything() -> None:
    """Without that Patroni makes any node primary that can be, and writes down anew who has everything."""
    key = base64.b64encode(f"/service/{_SCOPE}/sync".encode()).decode()
    _request(settings.PATRONI_ETCD, _STORE_PORT, "POST", "/v3/kv/deleterange", json.dumps({"key": key}))


def _answers(name: str) -> bool:
    try:
        _ask(name, "SELECT datname FROM pg_database")
    except CommandFailed:
        return False
    return True


def _request(address: str, port: int, method: str, path: str, body: str | None = None) -> dict[str, object]:
    connection = http.client.HTTPConnection(address, port, timeout=3)
    try:
        connection.request(method, path, body)
        return json.loads(connection.getresponse().read())
    except (http.client.HTTPException, ValueError) as broken:
        raise NotYet(f"{method} http://{address}:{port}{path}: {broken!r}") from broken
    finally:
        connection.close()


def _clear() -> None:
    STORE.stop(signal_number=signal.SIGKILL)
    for name in NODES:
        end(name)
    templates.remove(FOLDER)


def _lay_out() -> None:
    if not _PATRONI.exists():
        templates.copy(toolchain.patroni(), _PATRONI)
    for name in NODES:
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        _show_certificate(folder)
        OUTSIDE.run("chown", "postgres:postgres", folder)
        is_barred = _NEVER_PRIMARY.exists() and _NEVER_PRIMARY.read_text() == name
        _configure(name, configuration(name) | ({"tags": {"nofailover": True}} if is_barred else {}))


def _configure(name: str, wanted: dict[str, object]) -> None:
    file, text = FOLDER / name / "patroni.yml", yaml.safe_dump(wanted, sort_keys=False)
    changed = file.exists() and file.read_text() != text
    file.write_text(text)
    patroni = NODES[name].pid()
    if changed and patroni is not None:
        _signal(patroni, signal.SIGHUP)  # it reads the file again


def show_certificate(*, valid_days: int | None = None) -> None:
    """Let each node show a certificate that ends after so many days (None: after years), without a restart.

    Raises CommandFailed.
    """
    for name in NODES:
        _show_certificate(FOLDER / name, valid_days)
        _ask(name, "SELECT pg_reload_conf()")


def _show_certificate(folder: Path, valid_days: int | None = None) -> None:
    """Write the files of a node's certificate: of the private authority, for each address that leads to a node.

    Who does not ask for TLS is served without.
    """
    hosts = (settings.LOAD_BALANCER, *settings.POSTGRESQL.values())
    issued = authority.pair("postgresql", hosts, valid_days=valid_days)
    (folder / _CERTIFICATE).write_text(issued.certificate)
    key = folder / _KEY
    key.touch(mode=0o600)
    key.write_text(issued.key)
    OUTSIDE.run("chown", "postgres:postgres", folder / _CERTIFICATE, key)


# A node that says nothing for _TTL_S seconds is replaced, so that Harbor has its database back about 10 s after its
# loss. Patroni renews every _LOOP_S seconds, tries for _RETRY_S seconds, and wants TTL ≥ loop + 2 · retry. Not less: on
# a machine that is busy a program may not get its turn for seconds, and each failover costs all connections.
_TTL_S, _LOOP_S, _RETRY_S = 9, 1, 3


def configuration(name: str) -> dict[str, object]:
    """The content of a node's patroni.yml. What is below `bootstrap` is read once, when the cluster is made."""
    address, folder = settings.POSTGRESQL[name], FOLDER / name
    return {
        "scope": _SCOPE,
        "name": name,
        "etcd3": {"host": f"{settings.PATRONI_ETCD}:{_STORE_PORT}"},
        "restapi": {
            "listen": f"{address}:{PATRONI_PORT}",
            "connect_address": f"{address}:{PATRONI_PORT}",
        },
        "watchdog": {"mode": "off"},
        "bootstrap": {
            "dcs": {
                "ttl": _TTL_S,
                "loop_wait": _LOOP_S,
                "retry_timeout": _RETRY_S,
                # What Harbor was told is stored must be there after a failover: a commit waits for the standby, and
                # only a standby that has everything is made primary. Not "strict": without a standby the primary goes
                # on alone, since the loss of one of two nodes must not stop Harbor.
                "synchronous_mode": True,
                # The one etcd is no part of what is to be highly available: without it the primary stays primary as
                # long as it sees the standby.
                "failsafe_mode": True,
                # For a primary that does not get up again.
                "primary_start_timeout": 20,
                "postgresql": {"use_pg_rewind": True, "parameters": _PARAMETERS},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"],
        },
        "postgresql": {
            "listen": f"{address}:{PORT}",
            "connect_address": f"{address}:{PORT}",
            "bin_dir": str(_PROGRAMS),
            "data_dir": str(folder / "data"),
            "pgpass": str(folder / "pgpass"),
            "use_unix_socket": True,
            "parameters": {
                "unix_socket_directories": str(folder),
                "ssl": True,
                "ssl_cert_file": str(folder / _CERTIFICATE),
                "ssl_key_file": str(folder / _KEY),
            },
            "authentication": {
                "superuser": {"username": "postgres"},
                "replication": _REPLICATOR,
                "rewind": _REWINDER,
            },
            "pg_hba": [
                "local all postgres peer",
                f"host {DATABASE},{OWN_DATABASE},{SECOND_DATABASE} {USER} {settings.LAB_RANGE} scram-sha-256",
                # From each other: both are on one machine, whose outgoing connections come from its first address.
                f"host replication {_REPLICATOR['username']} samehost scram-sha-256",
                f"host all {_REWINDER['username']} samehost scram-sha-256",
            ],
            # A copy for a new standby begins at once, instead of at the next checkpoint.
            "basebackup": [{"checkpoint": "fast"}, "no-sync"],
        },
    }


_PARAMETERS = {
    "max_connections": 300,
    "shared_buffers": "32MB",
    "max_wal_senders": 5,
    "max_replication_slots": 5,
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    # What a standby that was away may have missed and can still be sent.
    "wal_keep_size": "128MB",
    # In the data folder, with which it goes; else it would be in /dev/shm, where a killed PostgreSQL leaves it.
    "dynamic_shared_memory_type": "mmap",
    # A standby or a client that has gone without a word is given up.
    "wal_sender_timeout": "10s",
    "wal_receiver_timeout": "10s",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": "10s",
}
