"""MariaDB with Galera: three nodes that hold Harbor's database, each with all of it.

A cluster of which a part lives is joined by the others. One that has ended as a whole is started again from the
node that knows the last transaction, whatever order its nodes ended in.
"""

import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lab import settings, templates
from lab.daemons import Daemon
from lab.errors import CommandFailed, LabError
from lab.galera_recovery import Position, first_to_start, recovered_position, saved_position
from lab.topology import OUTSIDE
from lab.waiting import NotYet, wait_until

DATABASE, USER, PASSWORD = "registry_k8s", "harbork8s", "images-of-the-lab"
"""What Harbor connects with; the lab has no secret to keep."""
HEALTH_USER = "health"
"""The load balancer's: it may connect and see the node's state, and nothing else."""
PORT = 3306
FOLDER = OUTSIDE.folder / "galera"
SCHEMA = settings.REPOSITORY / "lab" / "harbor" / "schema.sql"
_SCHEMA_LOADED = "harbor-lab: schema loaded"

NODES = {
    name: Daemon(name, OUTSIDE, ("mariadbd", f"--defaults-file={FOLDER / name / 'my.cnf'}"))
    for name in settings.GALERA
}

T = TypeVar("T")


def ensure(schema: Path = SCHEMA) -> None:
    """Bring up the three nodes with Harbor's database in them, from whatever is left of them.

    Raises NotReady, DaemonDied, or LabError when the schema is missing.
    """
    _lay_out()
    members = [name for name, node in NODES.items() if node.pid() is not None and _in_cluster(name)]
    if not members:
        members = [_start_cluster()]
    _join([name for name, node in NODES.items() if node.pid() is None])
    _load_schema(members[0], schema)
    wait_until("Galera has three synced nodes", healthy, deadline_s=120, interval_s=0.1)


def healthy() -> str:
    """What is there, as a sentence; raises LabError when a node is not a synced member of one cluster of three."""
    for name in NODES:
        state = status(name)
        size, synced = state.get("wsrep_cluster_size"), state.get("wsrep_local_state_comment")
        if (state.get("wsrep_cluster_status"), size, synced) != ("Primary", str(len(NODES)), "Synced"):
            raise NotYet(f"{name} is {synced} in a cluster of {size} ({state.get('wsrep_cluster_status')})")
    return f"{len(NODES)} nodes are Synced"


def status(name: str) -> dict[str, str]:
    """A node's status variables that begin with wsrep_; raises NotYet when it does not run, CommandFailed."""
    rows = sql(name, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'").splitlines()
    return dict(row.split("\t", 1) for row in rows if "\t" in row)


def sql(name: str, statements: str, *, timeout_s: float = 10) -> str:
    """Run SQL on one node as its administrator; one line a row, tabs between columns.

    Raises NotYet when the node does not run, CommandFailed when it refuses or does not answer.
    """
    if NODES[name].pid() is None:
        raise NotYet(f"{name} does not run")
    return OUTSIDE.run(
        "mariadb", "--no-defaults", f"--socket={FOLDER / name / 'socket'}", "--batch", "--skip-column-names",
        "--connect-timeout=3",
        input=statements, timeout_s=timeout_s,
    )  # fmt: skip


def _in_cluster(name: str) -> bool:
    try:
        return status(name).get("wsrep_cluster_status") == "Primary"
    except LabError:
        return False  # it starts, or hangs, or has lost the others: no cluster that one could join


def _start_cluster() -> str:
    for node in NODES.values():
        node.stop(signal_number=signal.SIGKILL)
    positions = dict(zip(NODES, _side_by_side(position, NODES), strict=True))
    first = first_to_start(positions)
    _mark_first(first)
    node = replace(NODES[first], argv=(*NODES[first].argv, "--wsrep-new-cluster", *_from(positions[first])))
    node.start()
    # The others may start at once: they keep asking until the first one is there.
    for name in NODES:
        if name != first:
            _start(name, positions[name])
    node.ensure(lambda: _member(first), deadline_s=60)
    return first


def _join(names: list[str]) -> None:
    for name, at in zip(names, _side_by_side(position, names), strict=True):
        _start(name, at)


def _start(name: str, at: Position | None) -> None:
    replace(NODES[name], argv=(*NODES[name].argv, *_from(at))).start()


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


def _member(name: str) -> None:
    if status(name).get("wsrep_ready") != "ON":
        raise NotYet(f"{name} is not part of a cluster yet")


def _mark_first(name: str) -> None:
    # Galera refuses to start a cluster from a node that was not the last to end, unless told otherwise here.
    file = FOLDER / name / "data" / "grastate.dat"
    if file.exists():
        file.write_text(file.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))


def _side_by_side(do: Callable[[str], T], names: list[str] | dict[str, Daemon]) -> list[T]:
    with ThreadPoolExecutor(max_workers=len(NODES)) as pool:
        return list(pool.map(do, names))


def _load_schema(name: str, schema: Path) -> None:
    loaded = f"SELECT schema_comment FROM information_schema.schemata WHERE schema_name = '{DATABASE}'"
    if sql(name, loaded).strip() == _SCHEMA_LOADED:
        return
    if not schema.exists():
        raise LabError(f"Harbor's schema is missing: {schema}")
    # From nothing: an earlier load may have been interrupted, and tables cannot be rolled back.
    sql(
        name,
        f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE} CHARACTER SET utf8; USE {DATABASE};\n"
        f"{schema.read_text()}\n;ALTER DATABASE {DATABASE} COMMENT = '{_SCHEMA_LOADED}';",
        timeout_s=60,
    )


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
        history = uuid.uuid1()
        for name in NODES:
            (partial / name).mkdir(parents=True)
            templates.copy(template / "data", partial / name / "data")
            # Copies of one template are at the same position: none needs to be sent everything.
            (partial / name / "data" / "grastate.dat").write_text(
                f"# GALERA saved state\nversion: 2.1\nuuid: {history}\nseqno: 0\nsafe_to_bootstrap: 0\n"
            )
        partial.rename(FOLDER)
    for name in NODES:
        (FOLDER / name / "data").mkdir(parents=True, exist_ok=True)
        (FOLDER / name / "my.cnf").write_text(_configuration(name))
    OUTSIDE.run("chown", "--recursive", "mysql:mysql", FOLDER)


def _make_template(workshop: Path) -> None:
    users = workshop / "users.sql"
    users.write_text(
        "FLUSH PRIVILEGES;\n"  # reads the grants; without them no user can be made
        f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'%';\n"
        f"CREATE USER '{HEALTH_USER}'@'{settings.LOAD_BALANCER}';\n"
    )
    OUTSIDE.run(
        "mariadb-install-db", "--no-defaults", f"--datadir={workshop / 'data'}", "--user=mysql",
        "--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve",
        f"--extra-file={users}", f"--innodb-log-file-size={_LOG_FILE}",
    )  # fmt: skip


_LOG_FILE = "16M"


def _configuration(name: str) -> str:
    address, folder = settings.GALERA[name], FOLDER / name
    provider = {
        "gmcast.listen_addr": f"tcp://{address}:4567",
        "ist.recv_addr": address,
        "gcache.size": "32M",
        # Which node starts a cluster again is decided by `ensure`, by what each node has.
        "pc.recovery": "false",
    }
    return f"""\
[mariadbd]
user = mysql
datadir = {folder / "data"}
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
wsrep-provider = /usr/lib/galera/libgalera_smm.so
wsrep-provider-options = "{"; ".join(f"{key}={value}" for key, value in provider.items())}"
wsrep-cluster-name = harbor
wsrep-cluster-address = gcomm://{",".join(settings.GALERA.values())}
wsrep-node-name = {name}
wsrep-node-address = {address}
# rsync would stop the giving node meanwhile. The system user mysql needs no password on its own node's socket.
wsrep-sst-method = mariabackup
wsrep-sst-auth = mysql:
"""
