"""Ceph: a monitor, a manager, an OSD and a metadata server, and in it the file system that Harbor's volumes are on.

One of each: the lab shows what a cluster on shared storage does, not what Ceph survives.
"""

import json
import signal
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lab import settings
from lab.command import run
from lab.errors import DaemonDied, LabError, NotReady
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import templates
from lab.waiting import NotYet

FOLDER = OUTSIDE.folder / "ceph"
VOLUMES = {
    "apps/harbor-k8s/log": "root",
    "apps/harbor-k8s/registry": "root",
    "apps/harbor-2/jobservice": "10000:10000",
    "apps/harbor-2/registry": "10000:10000",
}
"""The folders of the file system that the PersistentVolumes of `deploy/` name, and whom they belong to: Harbor 2.x
runs as a user of its own."""
_CONF = FOLDER / "ceph.conf"
_KEYRING = FOLDER / "keyring"
_MADE = FOLDER / "made"
_MOUNT = "/run/cephfs"
"""On the machine's own /run."""
_PORT = 6789
MONITOR_ADDRESS = f"{settings.CEPH}:{_PORT}"
_TOLD_BY_MONITOR = """
[mds]
# A node that is lost gives nothing back: whoever wants to write where its registry did waits until it is given up, a
# minute by default. It is not fenced (blocklisted): ceph-fuse would get nowhere for as long when it is back.
mds_cap_revoke_eviction_timeout = 8
mds_session_blocklist_on_evict = false
[client]
# A node that was given up begins anew when it is back; without this its registry is Ready, and answers 500 for ever.
client_reconnect_stale = true
# It looks for Ceph again each second, and not, after a while, each 15 and 30: until it has found it, it hangs, Ready.
ms_max_backoff = 1
mon_client_hunt_interval = 1
mon_client_hunt_interval_max_multiple = 1
# For each thing that is asked of it ceph-fuse reads /proc/PID/status for the groups of who asks; of the pods here all
# are in one, and that reading was three quarters of its work.
fuse_set_user_groups = false
debug_client = 0/0
debug_ms = 0/0
debug_objecter = 0/0
"""
"""The kubelet starts ceph-fuse without a configuration file: what the monitor tells reaches it."""
_UNUSED = """
alerts balancer crash devicehealth diskprediction_local influx insights iostat localpool mirroring nfs orchestrator
osd_perf_query osd_support pg_autoscaler progress prometheus rbd_support restful selftest snap_schedule stats
telegraf telemetry test_orchestrator volumes zabbix
"""
"""Modules of the manager; `status` is kept."""


def _daemon(kind: str, id: str) -> Daemon:
    # In the foreground, so that the process we started is the one that runs.
    argv = (f"ceph-{kind}", "-f", "--id", id, "--conf", _CONF, "--setuser", "root", "--setgroup", "root")
    return Daemon(f"ceph-{kind}", OUTSIDE, argv)


MONITOR = _daemon("mon", "a")
MANAGER = _daemon("mgr", "a")
OSD = _daemon("osd", "0")
METADATA_SERVER = _daemon("mds", "a")
ALL = (MONITOR, MANAGER, OSD, METADATA_SERVER)


def ensure() -> None:
    """Bring Ceph up from whatever is left of it, with the folders of Harbor's volumes in its file system.

    Raises NotReady, DaemonDied, CommandFailed.
    """
    if not _MADE.exists():
        _make()
    for daemon in ALL:
        daemon.start()
    for daemon in ALL:
        try:
            daemon.ensure(partial(_well, daemon), deadline_s=30)
        except NotReady:
            # One that was told to end may take for ever over it, and answers nothing meanwhile.
            daemon.stop(signal_number=signal.SIGKILL)
            daemon.ensure(partial(_well, daemon), deadline_s=90)
    _ensure_told()
    ensure_folders(VOLUMES)


def healthy() -> str:
    """What is there, as a sentence; raises LabError or OSError when a daemon does not run or is not well."""
    for daemon in ALL:
        if daemon.pid() is None:
            raise DaemonDied(f"{daemon.name} does not run; the end of its log:\n{daemon.log_tail()}")
        _well(daemon)
    return "the file system is active"


def _well(daemon: Daemon) -> None:
    # Each is asked itself: the monitor goes on believing in one that has just died.
    well = {
        MONITOR: ("mon.a", "mon_status", "leader"),
        OSD: ("osd.0", "status", "active"),
        METADATA_SERVER: ("mds.a", "status", "up:active"),
    }
    if daemon in well:  # nothing of the lab waits for the manager
        name, question, expected = well[daemon]
        state = ask(name, question)["state"]
        if state != expected:
            raise NotYet(f"{name} is {state}")


def ask(name: str, question: str) -> dict[str, Any]:
    """What one daemon, e.g. mds.a, says of itself on its own socket; raises OSError or NotYet without an answer.

    Source: Ceph's admin socket: a JSON command ended by a zero byte; an answer after its length in 4 bytes.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(str(FOLDER / "run" / f"{name}.asok"))
        connection.sendall(json.dumps({"prefix": question}).encode() + b"\0")
        with connection.makefile("rb") as stream:
            size = int.from_bytes(stream.read(4), "big")
            answer = stream.read(size)
    if not size or len(answer) < size:
        raise ConnectionError(f"{name} hung up while it answered")
    try:
        return json.loads(answer)
    except json.JSONDecodeError as starting:  # its socket is there before what it answers with
        raise NotYet(f"{name} says {answer.decode(errors='replace').strip()}") from starting


def admin_key() -> str:
    """The key of the user admin, as the Secret of the volumes holds it; raises LabError when there is no Ceph."""
    if not _MADE.exists():
        raise LabError("Ceph has not been set up; `python -m lab up` does it")
    return run(["ceph-authtool", str(_KEYRING), "--name", "client.admin", "--print-key"]).strip()


def ceph(*words: str) -> str:
    """Ask Ceph as its administrator; raises CommandFailed."""
    return OUTSIDE.run("ceph", "--conf", _CONF, "--connect-timeout=5", *words, timeout_s=30)


def _make() -> None:
    """Set up a Ceph without data; a set-up that was broken off is begun anew."""
    for daemon in reversed(ALL):
        daemon.stop(signal_number=9)
    templates.remove(FOLDER)
    for name in ("mon.a", "mgr.a", "osd.0", "mds.a", "run"):
        (FOLDER / name).mkdir(parents=True)
    cluster, disk = str(uuid.uuid4()), str(uuid.uuid4())
    _CONF.write_text(_configuration(cluster))
    _make_keys()
    monitors = FOLDER / "monmap"
    run(
        ["monmaptool", "--create", "--add", "a", f"{settings.CEPH}:{_PORT}", "--fsid", cluster, str(monitors)]
    )
    _format("ceph-mon", "--id", "a", "--monmap", monitors)
    MONITOR.ensure(lambda: ask("mon.a", "mon_status"), deadline_s=60)
    ceph("osd", "new", disk)
    _format("ceph-osd", "--id", "0", "--osd-uuid", disk)
    MANAGER.start()
    OSD.start()
    METADATA_SERVER.start()
    for pool in ("metadata", "data"):
        ceph("osd", "pool", "create", pool, "8")
    ceph("fs", "new", "cephfs", "metadata", "data")
    ceph("health", "mute", "MGR_MODULE_ERROR", "--sticky")  # the modules that are left out on purpose
    _MADE.touch()


def _ensure_told() -> None:
    """Let the monitor tell clients and metadata servers how to work, unless it does."""
    file = FOLDER / "told-by-monitor.conf"
    if file.exists() and file.read_text() == _TOLD_BY_MONITOR:
        return
    file.unlink(missing_ok=True)
    told = FOLDER / "telling.conf"
    told.write_text(_TOLD_BY_MONITOR)
    ceph("config", "assimilate-conf", "-i", str(told))
    told.rename(file)


def _format(*words: str | Path) -> None:
    OUTSIDE.run(*words, "--mkfs", "--conf", _CONF, "--keyring", _KEYRING)


def _make_keys() -> None:
    """One keyring for all: nothing here is to be kept from anything else here."""
    rights = {
        "mon.": {"mon": "allow *"},
        "client.admin": {"mon": "allow *", "osd": "allow *", "mds": "allow *", "mgr": "allow *"},
        "mgr.a": {"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"},
        "osd.0": {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"},
        "mds.a": {"mon": "allow profile mds", "mgr": "allow profile mds", "osd": "allow *", "mds": "allow *"},
    }
    create = ["--create-keyring"]
    for name, capabilities in rights.items():
        words = [word for kind, right in capabilities.items() for word in ("--cap", kind, right)]
        run(["ceph-authtool", str(_KEYRING), *create, "--gen-key", "--name", name, *words])
        create = []


def ensure_folders(volumes: Mapping[str, str]) -> None:
    """Make these folders of the file system, unless they are there: USER:GROUP by path. Raises LabError."""
    stamp = FOLDER / "folders"
    made: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    if volumes.items() <= made.items():
        return
    with _mounted():
        for volume, owner in volumes.items():
            OUTSIDE.run("mkdir", "-p", f"{_MOUNT}/{volume}")
            OUTSIDE.run("chown", owner, f"{_MOUNT}/{volume}")
    stamp.write_text(json.dumps({**made, **volumes}))


def fill(volume: str, *, quota_bytes: int, file_bytes: int) -> None:
    """Give a folder of VOLUMES a quota, and a file of that size in it that is one hole; 0: neither. Raises LabError."""
    file = f"{_MOUNT}/{volume}/hole"
    with _mounted():
        if file_bytes:
            OUTSIDE.run("truncate", f"--size={file_bytes}", file)
        else:
            OUTSIDE.run("rm", "--force", file)
        _limit(volume, quota_bytes)


def limit(volume: str, quota_bytes: int) -> None:
    """Give a folder of VOLUMES a quota; 0: none. Raises LabError."""
    with _mounted():
        _limit(volume, quota_bytes)


def _limit(volume: str, quota_bytes: int) -> None:
    arguments = f"{f'{_MOUNT}/{volume}'!r}, 'ceph.quota.max_bytes', b'{quota_bytes}'"
    OUTSIDE.run("python3", "-c", f"import os; os.setxattr({arguments})")


def copy(folder: str, to: str) -> None:
    """Copy a folder of the file system while it is written to, in place of what was there. Raises LabError.

    What vanishes meanwhile is left out. Uploads that have not ended are no part of an image.
    """
    with _mounted():
        script = (
            f"rm -rf {_MOUNT}/{to} && mkdir -p {_MOUNT}/{to} && tar -C {_MOUNT}/{folder} --ignore-failed-read "
            f"--warning=no-file-changed --exclude=_uploads -cf - . | tar -C {_MOUNT}/{to} -xpf -"
        )
        OUTSIDE.run("sh", "-c", script)


def remove(folder: str) -> None:
    """Remove a folder of the file system, if it is there. Raises LabError."""
    with _mounted():
        OUTSIDE.run("rm", "-rf", f"{_MOUNT}/{folder}")


@contextmanager
def _mounted() -> Iterator[None]:
    """The file system at _MOUNT, for the length of the block. Raises LabError."""
    # A daemon like the others, so that `down` finds it should we be killed here.
    mount = Daemon("ceph-fuse", OUTSIDE, ("ceph-fuse", "-f", "--conf", _CONF, "--id", "admin", _MOUNT))
    OUTSIDE.run("mkdir", "-p", _MOUNT)
    mount.ensure(lambda: OUTSIDE.run("mountpoint", "--quiet", _MOUNT))
    yield
    OUTSIDE.run("umount", _MOUNT)
    mount.stop()


def _configuration(cluster: str) -> str:
    return f"""
[global]
fsid = {cluster}
mon_host = {settings.CEPH}:{_PORT}
public_addr = {settings.CEPH}
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = {_KEYRING}
run_dir = {FOLDER}/run
admin_socket = {FOLDER}/run/$name.asok
log_file =
log_to_stderr = true
err_to_stderr = true
mon_data = {FOLDER}/mon.a
mgr_data = {FOLDER}/mgr.a
osd_data = {FOLDER}/osd.0
mds_data = {FOLDER}/mds.a
mon_allow_pool_size_one = true
# Every step of a start is a decision of the monitor, which gathers them for a second unless told not to.
paxos_propose_interval = 0.05
mds_beacon_interval = 1
# What one node has just written waits in the metadata server's journal for its next tick (5 s by default) before
# another node may read it. A busy file system flushes all the time; in a quiet one each first read would take that.
mds_tick_interval = 0.1
# What nobody will read is not kept in memory either.
debug_ms = 0/0
debug_mds = 0/0
debug_osd = 0/0
debug_bluestore = 0/0
debug_objecter = 0/0
mon_warn_on_pool_no_redundancy = false
mon_warn_on_msgr2_not_enabled = false
# The disk is this machine's, and not only the lab's: how full it is says nothing here.
mon_data_avail_warn = 2
mon_data_avail_crit = 1
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_objectstore = bluestore
# A file with holes: what is not written takes no place.
bluestore_block_size = {12 * 2**30}
# Small, instead of following a target of gigabytes.
bluestore_cache_autotune = false
bluestore_cache_size = {64 * 2**20}
mds_cache_memory_limit = {128 * 2**20}
# A metadata server that comes back waits this long for clients of before; those of a lab that was killed never come.
mds_reconnect_timeout = 10
# Nothing that these do is needed, and each takes memory and time at every start.
mgr_disabled_modules = {" ".join(_UNUSED.split())}
"""
