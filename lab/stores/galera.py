"""MariaDB with Galera: three nodes that hold Harbor's database, each with all of it.

A cluster of which a part lives is joined by the others. One that has ended as a whole is started again from the
node that knows the last transaction, whatever order its nodes ended in.
"""

import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lab import settings
from lab.errors import CommandFailed, DaemonDied, LabError, NotReady
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import templates
from lab.stores.galera_recovery import Position, first_to_start, recovered_position, saved_position
from lab.waiting import NotYet, wait_until

DATABASE, USER, PASSWORD = "registry_k8s", "harbork8s", "images-of-the-lab"
"""What Harbor connects with; the lab has no secret to keep."""
HEALTH_USER = "health"
"""The load balancer's: it may connect and see the node's state, and nothing else."""
PORT = 3306
FOLDER = OUTSIDE.folder / "galera"
SCHEMA = settings.REPOSITORY / "lab" / "harbor" / "harbor_1" / "schema.sql"
_SCHEMA_LOADED = "harbor-lab: schema loaded"

NODES = {
    name: Daemon(name, OUTSIDE, ("mariadbd", f"--defaults-file={FOLDER / name / 'my.cnf'}"))
    for name in settings.GALERA
}


def ensure(schema: Path = SCHEMA) -> None:
    """Bring up the three nodes with Harbor's database in them, from whatever is left of them.

    Raises NotReady, DaemonDied, or LabError when the schema is missing.
    """
    _lay_out()
    members = _living_cluster()
    positions = _positions([name for name in NODES if name not in members])
    if not members:
        first = first_to_start(positions)
        _start_cluster(first, positions.pop(first))
        members = [first]
    for name, at in positions.items():
        try:
            _join(name, at)
        except DaemonDied:
            # It could not go on from what it has: a member gives it everything anew.
            _end([name])
            templates.remove(FOLDER / name / "data")
            _lay_out()
            _join(name, None)
    _load_schema(members[0], schema)
    wait_until("Galera has three synced nodes", healthy, deadline_s=60, interval_s=0.1)


def healthy() -> str:
    """What is there, as a sentence; raises LabError when a node is not a synced member of one cluster of three."""
    for name in NODES:
        state = status(name)
        size, synced = state.get("wsrep_cluster_size"), state.get("wsrep_local_state_comment")
        if (state.get("wsrep_cluster_status"), size, synced) != ("Primary", str(len(NODES)), "Synced"):
            raise NotYet(f"{name} is {synced} in a cluster of {size} ({state.get('wsrep_cluster_status')})")
    return f"{len(NODES)} nodes are Synced"


def status(name: str) -> dict[str, str]:
    """A node's status variables that begin with wsrep_; raises DaemonDied when it does not run, CommandFailed."""
    rows = sql(name, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'").splitlines()
    return dict(row.split("\t", 1) for row in rows if "\t" in row)


def sql(name: str, statements: str, *, timeout_s: float = 10) -> str:
    """Run SQL on one node as its administrator; one line a row, tabs between columns.

    Raises DaemonDied when the node does not run, CommandFailed when it refuses or does not answer.
    """
    if NODES[name].pid() is None:
        raise DaemonDied(f"{name} does not run; the end of its log:\n{NODES[name].log_tail()}")
    return _client(FOLDER / name, statements, timeout_s)


def _client(folder: Path, statements: str, timeout_s: float = 10) -> str:
    # `timeout`, so that a node which hangs fails the command, which a wait tries again.
    return OUTSIDE.run(
        "timeout", str(timeout_s),
        "mariadb", "--no-defaults", f"--socket={folder / 'socket'}", "--batch", "--skip-column-names",
        input=statements,
    )  # fmt: skip


def _living_cluster() -> list[str]:
    """The members of a cluster that can be joined, or none; every other node is ended.

    A node is ended too when it starts, hangs or has lost the others: it gets further by starting again.
    """
    members = [name for name in NODES if _cluster_size(name)]

    def settled() -> list[str]:
        sizes = {_cluster_size(name) for name in members}
        if 0 in sizes:
            return []
        if sizes - {len(members)}:
            raise NotYet(f"{', '.join(members)} see clusters of {sizes}")
        return members

    _end(name for name in NODES if name not in members)
    # Those that are left need seconds to notice that others went, and maybe that they are too few to go on.
    try:
        members = wait_until("Galera knows who is left", settled, deadline_s=20, interval_s=0.1)
    except NotReady:
        members = []
    _end(name for name in NODES if name not in members)
    return members


def _end(names: Iterable[str]) -> None:
    for name in names:
        NODES[name].stop(signal_number=signal.SIGKILL)


def _cluster_size(name: str) -> int:
    """How many nodes one sees in its cluster; 0 when it is in none, or does not say."""
    try:
        state = status(name)
    except (CommandFailed, DaemonDied):
        return 0
    return int(state["wsrep_cluster_size"]) if state.get("wsrep_cluster_status") == "Primary" else 0


def _start_cluster(name: str, at: Position | None) -> None:
    _mark_first(name)
    node = replace(NODES[name], argv=(*NODES[name].argv, "--wsrep-new-cluster", *_from(at)))
    node.ensure(lambda: _synced(name), deadline_s=60)


def _join(name: str, at: Position | None) -> None:
    # One after the other, each until it is synced: two that come at the same moment find each other first and are
    # let in after 5 s, and one that has just come may give the next one less than all.
    replace(NODES[name], argv=(*NODES[name].argv, *_from(at))).ensure(lambda: _synced(name), deadline_s=120)


def _from(at: Position | None) -> tuple[str, ...]:
    # Told where it stands, a node is sent what it missed; else it is sent everything.
    return (f"--wsrep-start-position={at}",) if at else ()


def position(name: str) -> Position | None:
    """The last transaction that a node which does not run has; None when it has none, or lost count."""
    saved = FOLDER / name / "data" / "grastate.dat"
    at = saved_position(saved.read_text()) if saved.exists() else None
    if at or not (FOLDER / name / "data" / "ibdata1").exists():
        return at
    recover = [str(word) for word in NODES[name].argv] + ["--wsrep-recover"]
    try:
        return recovered_position(OUTSIDE.run("sh", "-c", 'exec "$@" 2>&1', "sh", *recover))
    except CommandFailed:
        return None  # its files are not whole, e.g. killed while it received them: it is sent everything


def _synced(name: str) -> None:
    state = status(name)
    if state.get("wsrep_connected") != "ON":
        raise DaemonDied(f"{name} left the cluster; the end of its log:\n{NODES[name].log_tail()}")
    if state.get("wsrep_ready") != "ON" or state.get("wsrep_local_state_comment") != "Synced":
        raise NotYet(f"{name} is {state.get('wsrep_local_state_comment')}")


def _mark_first(name: str) -> None:
    # Galera refuses to start a cluster from a node that was not the last to end, unless told otherwise here.
    file = FOLDER / name / "data" / "grastate.dat"
    if file.exists():
        file.write_text(file.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))


def _positions(names: list[str]) -> dict[str, Position | None]:
    with ThreadPoolExecutor(max_workers=len(NODES)) as pool:
        return dict(zip(names, pool.map(position, names), strict=True))


def _load_schema(name: str, schema: Path) -> None:
    loaded = f"SELECT schema_comment FROM information_schema.schemata WHERE schema_name = '{DATABASE}'"
    if sql(name, loaded).strip() == _SCHEMA_LOADED:
        return
    if not schema.exists():
        raise LabError(f"Harbor's schema is missing: {schema}")
    # A node of a cluster leaves gaps in what it numbers, and Harbor's administrator must be user 1.
    sql(name, "SET GLOBAL wsrep_auto_increment_control = OFF")
    # From nothing: an earlier load may have been interrupted, and tables cannot be rolled back.
    sql(
        name,
        f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE} CHARACTER SET utf8; USE {DATABASE};\n"
        f"{schema.read_text()}\n;ALTER DATABASE {DATABASE} COMMENT = '{_SCHEMA_LOADED}';",
        timeout_s=60,
    )
    sql(name, "SET GLOBAL wsrep_auto_increment_control = ON")


def _lay_out() -> None:
    if not FOLDER.exists():
        template = templates.obtain(
            "mariadb",
            package="mariadb-server-core",
            recipe=Path(__file__),
            workshop=OUTSIDE.folder / "galera.template",
            make=_make_template,
        )
        partial = OUTSIDE.folder / "galera.partial"
        templates.remove(partial)
        for name in NODES:
            (partial / name).mkdir(parents=True)
            templates.copy(template / "data", partial / name / "data")
        partial.rename(FOLDER)
    for name in NODES:
        for part in ("data", "temporary"):
            (FOLDER / name / part).mkdir(parents=True, exist_ok=True)
        (FOLDER / name / "my.cnf").write_text(_configuration(name, FOLDER / name))
    OUTSIDE.run("chown", "--recursive", "mysql:mysql", FOLDER)


def _make_template(workshop: Path) -> None:
    """A node of a cluster of one, ended in good order: copies of it agree on the last transaction.

    So none of them needs to be sent everything when they form a cluster.
    """
    name = next(iter(NODES))
    configuration = workshop / "my.cnf"
    configuration.write_text(_configuration(name, workshop))
    (workshop / "temporary").mkdir()
    OUTSIDE.run("chown", "--recursive", "mysql:mysql", workshop)
    OUTSIDE.run(
        "mariadb-install-db", f"--defaults-file={configuration}", "--wsrep-on=OFF", "--user=mysql",
        "--auth-root-authentication-method=socket", "--skip-test-db",
    )  # fmt: skip
    OUTSIDE.run("chown", "--recursive", "mysql:mysql", workshop)
    node = Daemon(
        "galera-template", OUTSIDE, ("mariadbd", f"--defaults-file={configuration}", "--wsrep-new-cluster")
    )
    node.stop(signal_number=signal.SIGKILL)
    node.ensure(lambda: _client(workshop, "SELECT 1"))
    _client(
        workshop,
        f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'%';\n"
        f"CREATE USER '{HEALTH_USER}'@'{settings.LOAD_BALANCER}';\n",
    )
    node.stop()
    (workshop / "data" / "galera.cache").unlink()


_LOG_FILE = "16M"


def _configuration(name: str, folder: Path) -> str:
    address = settings.GALERA[name]
    provider = {
        "gmcast.listen_addr": f"tcp://{address}:4567",
        "ist.recv_addr": address,
        "gcache.size": "32M",
        "evs.suspect_timeout": "PT3S",
        # Which node starts a cluster again is decided by `ensure`, by what each node has.
        "pc.recovery": "false",
    }
    return f"""\
[mariadbd]
user = mysql
datadir = {folder / "data"}
# A server that starts deletes temporary tables in there, and in /tmp also those of its neighbours.
tmpdir = {folder / "temporary"}
socket = {folder / "socket"}
pid-file = {folder / "pid"}
bind-address = {address}
port = {PORT}
skip-name-resolve
character-set-server = utf8
max-connections = 300
performance-schema = OFF
innodb-buffer-pool-size = 48M
innodb-log-file-size = {_LOG_FILE}
# Written at each commit, flushed each second: safe against the end of the program, not of the machine.
innodb-flush-log-at-trx-commit = 2
innodb-autoinc-lock-mode = 2
binlog-format = ROW
wsrep-on = ON
# A read waits for all that was committed before it: else a commit that the node in use acknowledged as it hung is
# missing at the others for as long as it takes them to give that node up.
wsrep-sync-wait = 1
wsrep-provider = /usr/lib/galera/libgalera_smm.so
wsrep-provider-options = "{"; ".join(f"{key}={value}" for key, value in provider.items())}"
wsrep-cluster-name = harbor
wsrep-cluster-address = gcomm://{",".join(settings.GALERA.values())}
wsrep-node-name = {name}
wsrep-node-address = {address}
# rsync would stop the giving node meanwhile. The system user mysql needs no password on its own node's socket.
wsrep-sst-method = mariabackup
wsrep-sst-auth = mysql:
# The receiver listens on all addresses of the machine, which the nodes share: so each has a port of its own.
wsrep-sst-receive-address = {address}:{4440 + list(settings.GALERA).index(name)}
"""
