"""A Redis that was primary once, to which the pods of a part on one node are led: their settings are right, and their
connections lead elsewhere.
"""

from functools import partial

from lab import settings
from lab.defects import Lab
from lab.kubernetes import nodes
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import redis_sentinel
from lab.waiting import NotYet

NAME = "redis-old"
_ADDRESS, _PORT = settings.REDIS["redis-1"], 6399
_FOLDER = OUTSIDE.folder / NAME
_OLD = Daemon(
    NAME,
    OUTSIDE,
    (
        *(redis_sentinel.REDIS, "--bind", _ADDRESS, "--port", str(_PORT), "--dir", _FOLDER),
        *("--requirepass", redis_sentinel.PASSWORD, "--save", "", "--appendonly", "no"),
    ),
)
"""As the old primary was: writable, and followed by nobody."""
_CHAIN = "HARBOR-LAB-OLD-PRIMARY"
_TABLES = {"nat": "PREROUTING", "filter": "FORWARD"}


def keep(lab: Lab, component: str, node: str) -> None:
    """Lead what the pods of a component on that node say to Redis to the old one. Raises LabError."""
    let_go(lab)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _OLD.ensure(partial(redis_sentinel.redis_cli, _ADDRESS, _PORT, "PING"))
    for address in _addresses(lab, component, node):
        to_redis = ("-s", address, "-p", "tcp", "--dport", str(redis_sentinel.PORT))
        old = ("-j", "DNAT", "--to-destination", f"{_ADDRESS}:{_PORT}")
        # What it has open to the primary is reset, so that it connects anew.
        reset = ("-m", "conntrack", "!", "--ctstate", "DNAT", "-j", "REJECT", "--reject-with", "tcp-reset")
        for table, action in (("nat", old), ("filter", reset)):
            _iptables(node, table, "-N", _CHAIN)
            _iptables(node, table, "-A", _CHAIN, *to_redis, *action)
            _iptables(node, table, "-I", _TABLES[table], "-j", _CHAIN)


def require_kept(key: str, *, database: str) -> None:
    """Raises NotYet, CommandFailed until somebody has written that key there."""
    if redis_sentinel.redis_cli(_ADDRESS, _PORT, "-n", database, "EXISTS", key).strip() != "1":
        raise NotYet(f"{key} is not there: nobody has come to the old primary yet")


def let_go(lab: Lab) -> None:
    """Take that back on every node; connections to the old one end with it."""
    for node in nodes.ALL.values():
        for table, chain in _TABLES.items():
            words = f"iptables -w -t {table}"
            node.machine.run(
                "sh",
                "-c",
                f"while {words} -D {chain} -j {_CHAIN} 2>/dev/null; do :; done; "
                f"{words} -F {_CHAIN} 2>/dev/null; {words} -X {_CHAIN} 2>/dev/null; true",
            )
    _OLD.stop()


def nodes_with(lab: Lab, component: str) -> list[str]:
    """The nodes on which pods of a component are, a name for each pod."""
    return sorted(_told(lab, component, "--output=jsonpath={.items[*].spec.nodeName}"))


def _iptables(node: str, table: str, *words: str) -> None:
    nodes.ALL[node].machine.run("iptables", "-w", "-t", table, *words)


def _addresses(lab: Lab, component: str, node: str) -> list[str]:
    where = f"--field-selector=spec.nodeName={node}"
    return _told(lab, component, where, "--output=jsonpath={.items[*].status.podIP}")


def _told(lab: Lab, component: str, *words: str) -> list[str]:
    pods = ("get", "pods", f"--namespace={lab.profile.namespace}", f"--selector=component={component}")
    return lab.kubectl(*pods, *words).split()
