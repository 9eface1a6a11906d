"""An object store that speaks S3: Ceph's own gateway, beside the Ceph that is there, with a bucket in it.

One gateway: the lab shows what a Harbor on object storage does, not what the storage survives.
"""

import urllib.request

from lab import settings
from lab.errors import CommandFailed, DaemonDied
from lab.harbor.harbor_2.bucket import Bucket
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import ceph

PORT = 7480
URL = f"http://{settings.CEPH}:{PORT}"
REGION = "us-east-1"
"""Any: it is a part of what requests are signed with."""
ACCESS_KEY, SECRET_KEY = "harbor-lab", "images-of-the-lab"
"""The lab has no secret to keep."""
_NAME = "client.rgw.a"
_USER = "harbor"
_KEYRING = ceph.FOLDER / "gateway-keyring"
_MADE = ceph.FOLDER / "gateway-made"
_IDENTITY = ("--name", _NAME, "--conf", ceph.FOLDER / "ceph.conf", "--keyring", _KEYRING)
_OPTIONS = {
    # Without it the end of each answer waits for the client's acknowledgement, for 40 ms: a blob takes 40 requests.
    "rgw_frontends": f"beast endpoint={settings.CEPH}:{PORT} tcp_nodelay=1",
    "rgw_data": f"{ceph.FOLDER}/run",
    "rgw_enable_apis": "s3",
    "rgw_thread_pool_size": "64",
    # Of another place there is nothing to fetch, of logs nothing that anybody reads.
    "rgw_run_sync_thread": "false",
    "rgw_enable_ops_log": "false",
    "rgw_enable_usage_log": "false",
    # What was deleted is kept for two hours otherwise, on a small disk.
    "rgw_gc_obj_min_wait": "60",
    "rgw_gc_processor_period": "60",
    "debug_rgw": "0/0",
}
GATEWAY = Daemon(
    "ceph-radosgw",
    OUTSIDE,
    (
        *("radosgw", "-f", *_IDENTITY, "--setuser", "root", "--setgroup", "root"),
        *(f"--{name}={value}" for name, value in _OPTIONS.items()),
    ),
)


def ensure(bucket: str) -> None:
    """Bring the gateway up from whatever is left of it, with that bucket in it; Ceph is to be up.

    Raises NotReady, DaemonDied, CommandFailed, OSError.
    """
    if not _MADE.exists():
        # The gateway makes seven pools; on one OSD each is to be small.
        ceph.ceph("config", "set", "global", "osd_pool_default_pg_num", "2")
        rights = ("mon", "allow rw", "osd", "allow rwx", "mgr", "allow rw")
        ceph.ceph("auth", "get-or-create", _NAME, *rights, "-o", str(_KEYRING))
    start()
    if not _MADE.exists():
        _ensure_user()
        _MADE.touch()
    Bucket(URL, bucket, ACCESS_KEY, SECRET_KEY, REGION).ensure()


def start() -> None:
    """Bring the gateway up, as it was left; raises NotReady, DaemonDied."""
    GATEWAY.ensure(_answers)


def healthy() -> str:
    """What is there, as a sentence; raises DaemonDied or OSError."""
    if GATEWAY.pid() is None:
        raise DaemonDied(f"{GATEWAY.name} does not run; the end of its log:\n{GATEWAY.log_tail()}")
    _answers()
    return f"the gateway answers at {URL}"


def _answers() -> None:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(URL, timeout=5):
        pass


def _ensure_user() -> None:
    try:
        OUTSIDE.run("radosgw-admin", *_IDENTITY, "user", "info", f"--uid={_USER}")
    except CommandFailed:
        OUTSIDE.run(
            *("radosgw-admin", *_IDENTITY, "user", "create", f"--uid={_USER}", f"--display-name={_USER}"),
            *(f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"),
        )
