"""Ceph: a monitor, a manager, an OSD and a metadata server, and in it the file system that Harbor's volumes are on.

One of each: the lab shows what a cluster on shared storage does, not what Ceph survives.
"""

import json
import uuid

from lab import settings, templates
from lab.command import run
from lab.daemons import Daemon
from lab.errors import LabError
from lab.topology import OUTSIDE
from lab.waiting import NotYet, wait_until

FOLDER = OUTSIDE.folder / "ceph"
VOLUMES = ("apps/harbor-k8s/log", "apps/harbor-k8s/registry")
"""The folders of the file system that the reference deployment's PersistentVolumes name."""
_CONF = FOLDER / "ceph.conf"
_KEYRING = FOLDER / "keyring"
_MADE = FOLDER / "made"
_PORT = 6789


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
    MONITOR.ensure(lambda: ceph("quorum_status"), deadline_s=60)
    for daemon in (MANAGER, OSD, METADATA_SERVER):
        daemon.start()
    wait_until("Ceph has a file system", healthy, deadline_s=90, interval_s=0.3)
    _make_folders()


def healthy() -> str:
    """What is there, as a sentence; raises LabError when a daemon is missing or the file system is not active."""
    absent = [daemon.name for daemon in ALL if daemon.pid() is None]
    if absent:
        raise NotYet(f"not running: {', '.join(absent)}")
    state = json.loads(ceph("status", "--format=json"))
    osds, ranks = state["osdmap"]["num_up_osds"], state["fsmap"]["by_rank"]
    active = [rank["name"] for rank in ranks if rank["status"] == "up:active"]
    if osds < 1 or not active:
        raise NotYet(f"{osds} OSDs are up, metadata server {ranks[0]['status'] if ranks else 'absent'}")
    # The monitor goes on believing in a daemon that has just died: so each is asked itself.
    for daemon in ("osd.0", "mds.a"):
        ceph("tell", daemon, "version")
    return "the file system is active"


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
    run(
        [
            "ceph-mon",
            "--mkfs",
            "--id",
            "a",
            "--conf",
            str(_CONF),
            "--monmap",
            str(monitors),
            "--keyring",
            str(_KEYRING),
        ]
    )
    MONITOR.ensure(lambda: ceph("quorum_status"), deadline_s=60)
    ceph("osd", "new", disk)
    OUTSIDE.run("ceph-osd", "--mkfs", "--id", "0", "--osd-uuid", disk, "--conf", _CONF, "--keyring", _KEYRING)
    MANAGER.start()
    OSD.start()
    METADATA_SERVER.start()
    for pool in ("metadata", "data"):
        ceph("osd", "pool", "create", pool, "8")
    ceph("fs", "new", "cephfs", "metadata", "data")
    _MADE.touch()


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


def _make_folders() -> None:
    stamp = FOLDER / "folders"
    if stamp.exists():
        return
    # On this machine's own /run: should we be killed here, the mount goes with the machine.
    place = "/run/cephfs"
    OUTSIDE.run("mkdir", "-p", place)
    OUTSIDE.run("ceph-fuse", "--conf", _CONF, "--id", "admin", place)
    OUTSIDE.run("mkdir", "-p", *(f"{place}/{volume}" for volume in VOLUMES))
    OUTSIDE.run("umount", place)
    stamp.touch()


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
mon_warn_on_pool_no_redundancy = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_objectstore = bluestore
# A file with holes: what is not written takes no place.
bluestore_block_size = {6 * 2**30}
# Small, instead of following a target of gigabytes.
bluestore_cache_autotune = false
bluestore_cache_size = {64 * 2**20}
mds_cache_memory_limit = {128 * 2**20}
"""
