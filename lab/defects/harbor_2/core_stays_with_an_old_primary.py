"""One core has stayed with a Redis that was primary once: its settings are right, its connections lead elsewhere."""

from functools import partial

from lab import settings
from lab.defects import Defect, Lab
from lab.kubernetes import nodes
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE
from lab.stores import redis_sentinel

_NODE = nodes.ALL["node-2"]
_ADDRESS, _PORT = settings.REDIS["redis-1"], 6399
_FOLDER = OUTSIDE.folder / "redis-old"
_OLD = Daemon(
    "redis-old",
    OUTSIDE,
    (
        *(redis_sentinel.REDIS, "--bind", _ADDRESS, "--port", str(_PORT), "--dir", _FOLDER),
        *("--requirepass", redis_sentinel.PASSWORD, "--save", "", "--appendonly", "no"),
    ),
)
"""As the old primary was: writable, and followed by nobody."""
_CHAIN = "HARBOR-LAB-OLD-PRIMARY"
_TABLES = {"nat": "PREROUTING", "filter": "FORWARD"}


def _plant(lab: Lab) -> None:
    _heal(lab)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _OLD.ensure(partial(redis_sentinel.redis_cli, _ADDRESS, _PORT, "PING"))
    for address in _addresses(lab):
        to_redis = ("-s", address, "-p", "tcp", "--dport", str(redis_sentinel.PORT))
        old = ("-j", "DNAT", "--to-destination", f"{_ADDRESS}:{_PORT}")
        # What it has open to the primary is reset, so that it connects anew.
        reset = ("-m", "conntrack", "!", "--ctstate", "DNAT", "-j", "REJECT", "--reject-with", "tcp-reset")
        for table, action in (("nat", old), ("filter", reset)):
            _iptables(table, "-N", _CHAIN)
            _iptables(table, "-A", _CHAIN, *to_redis, *action)
            _iptables(table, "-I", _TABLES[table], "-j", _CHAIN)


def _heal(lab: Lab) -> None:
    """Connections to the old one end with it."""
    for table, chain in _TABLES.items():
        words = f"iptables -w -t {table}"
        _NODE.machine.run(
            "sh",
            "-c",
            f"while {words} -D {chain} -j {_CHAIN} 2>/dev/null; do :; done; "
            f"{words} -F {_CHAIN} 2>/dev/null; {words} -X {_CHAIN} 2>/dev/null; true",
        )
    _OLD.stop()


def _iptables(table: str, *words: str) -> None:
    _NODE.machine.run("iptables", "-w", "-t", table, *words)


def _addresses(lab: Lab) -> list[str]:
    """Of the core on that node."""
    found = lab.kubectl(
        *("get", "pods", f"--namespace={lab.profile.namespace}", "--selector=component=core"),
        *(f"--field-selector=spec.nodeName={_NODE.name}", "--output=jsonpath={.items[*].status.podIP}"),
    )
    return found.split()


DEFECT = Defect(
    report="recorded on Harbor 2.12 and 2.15: after a failover each core may stay with another Redis, health green",
    shows="whoever signs in on that replica is logged out by the next request to another, and health reports are green",
    turns_red=frozenset(
        {
            "access.logout-ends-session-everywhere",
            "sessions.browser-session-through-front-door",
            "sessions.known-to-every-replica",
            "sessions.replicas-follow-the-primary",
            "sessions.stored-in-redis",
        }
    ),
    causes=frozenset({"sessions.replicas-follow-the-primary"}),
    hint_says=("kubectl delete pod", "stayed with a primary that was replaced"),
    plant_outside=_plant,
    heal_outside=_heal,
)
