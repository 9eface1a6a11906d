"""What kind of machine a node is, as far as its labels and taints say it. Pure: no I/O.

Source: Kubernetes: well-known labels and taints; the labels that providers of virtual nodes give theirs.
"""

from collections.abc import Sequence

from kubernetes.client import V1Node

_OS, _ARCHITECTURE = "kubernetes.io/os", "kubernetes.io/arch"
_VIRTUAL = frozenset(
    {
        ("type", "virtual-kubelet"),
        ("kubernetes.io/role", "virtual-kubelet"),
        ("liqo.io/type", "virtual-node"),
        ("eks.amazonaws.com/compute-type", "fargate"),
    }
)
"""On nodes that are no machines: no kube-proxy serves a port there, and a pod that names one by itself is refused."""
_KEEPING_OUT = frozenset({"NoSchedule", "NoExecute"})
_OF_ITS_STATE = "node.kubernetes.io/"
"""Taints that say how a node is, not whom it is for."""


def operating_system(node: V1Node) -> str:
    """linux, windows; linux where no label says it."""
    return _labels(node).get(_OS) or "linux"


def architecture(node: V1Node) -> str:
    """amd64, arm64, …; empty where no label says it."""
    return _labels(node).get(_ARCHITECTURE) or ""


def is_virtual(node: V1Node) -> bool:
    """Whether it stands for something else than a machine with a kubelet."""
    return not _VIRTUAL.isdisjoint(_labels(node).items())


def is_reserved(node: V1Node) -> bool:
    """Whether a taint keeps pods out that are not meant for it: control planes, nodes with a GPU."""
    return any(
        taint.effect in _KEEPING_OUT and not taint.key.startswith(_OF_ITS_STATE)
        for taint in (node.spec.taints if node.spec else None) or ()
    )


def spread_sample(nodes: Sequence[V1Node], most: int) -> list[V1Node]:
    """At most `most` of the nodes, evenly spread over their names, in the order of those."""
    by_name = sorted(nodes, key=lambda node: node.metadata.name)
    step = max(1, -(-len(by_name) // most))
    return by_name[::step]


def _labels(node: V1Node) -> dict[str, str]:
    return node.metadata.labels or {}
