"""Where the lab lives and which addresses it uses: the one place that knows.

All addresses are of 198.18.0.0/15, the range set aside for benchmarking networks (RFC 2544), so that the lab
collides with no private network; it has no route out, so a stray packet dies inside.
"""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
STATE = Path("/var/lib/harbor-lab")
"""Everything a running lab writes; `down` removes it."""
CACHE = Path(os.environ.get("HARBOR_LAB_CACHE") or Path.home() / ".cache" / "harbor-lab")
"""What is dear to make and safe to keep: compiled programs, image layers, empty databases."""

LINK = "harbor-lab"
"""The one interface on the host, the lab's link to the tests."""
HOST = "198.18.255.254"
CONTROL = "198.18.255.1"
CEPH = "198.18.255.2"
NODES = {"node-1": "198.18.255.11", "node-2": "198.18.255.12", "node-3": "198.18.255.13"}
GALERA = {"galera-1": "198.18.255.21", "galera-2": "198.18.255.22", "galera-3": "198.18.255.23"}
POSTGRESQL = {"postgresql-1": "198.18.255.24", "postgresql-2": "198.18.255.25"}
PATRONI_ETCD = "198.18.255.26"
"""Where the two agree on which of them is the primary."""
REDIS = {"redis-1": "198.18.255.31", "redis-2": "198.18.255.32", "redis-3": "198.18.255.33"}
"""redis-1 and redis-2 carry data; all three carry a Sentinel."""
LOAD_BALANCER = "198.18.255.41"
DOCKER_CLIENT = "198.18.255.51"
LINK_PREFIX = 24
LAB_RANGE = "198.18.0.0/15"
POD_RANGE = "198.18.0.0/16"
SERVICE_RANGE = "198.19.0.0/16"
KUBERNETES_SERVICE = "198.19.0.1"
CLUSTER_DNS = "198.19.0.10"

API_SERVER = f"https://{CONTROL}:6443"
"""Where kubectl looks when nobody says."""
ADMIN_PASSWORD = "Harbor12345"
"""Harbor's initial password as its documentation gives it; the lab has no secret to keep."""

KUBECONFIG = STATE / "kubeconfig"
DOCKER_SOCKET = STATE / "docker.sock"
BINARIES = CACHE / "bin"


def front_door(node_port: int) -> str:
    """The URL of what answers on that port of every node."""
    return f"http://{NODES['node-1']}:{node_port}"


def pod_subnet(node: str) -> str:
    """The pod addresses of one node, e.g. node-2 → 198.18.2.0/24."""
    return f"198.18.{list(NODES).index(node) + 1}.0/24"
