"""The firewall of one node lets nobody to the front door's port."""

from lab.defects import Defect, Lab
from lab.kubernetes import nodes

_NODE = nodes.ALL["node-3"]


def _rule(lab: Lab, action: str) -> tuple[str, ...]:
    port = str(lab.profile.node_port)
    return ("iptables", "-t", "raw", action, "PREROUTING", "-p", "tcp", "--dport", port, "-j", "DROP")


def _close(lab: Lab) -> None:
    _open(lab)
    _NODE.machine.run(*_rule(lab, "-I"))


def _open(lab: Lab) -> None:
    remove = " ".join(_rule(lab, "-D"))
    _NODE.machine.run("sh", "-c", f"while {remove} 2>/dev/null; do :; done")


DEFECT = Defect(
    report="none is known; what a hardened node image does",
    shows="clients that a load balancer sends to that node wait until they give up",
    turns_red=frozenset({"configuration.front-door-answers-on-every-node"}),
    hint_says=("firewall",),
    plant_outside=_close,
    heal_outside=_open,
)
