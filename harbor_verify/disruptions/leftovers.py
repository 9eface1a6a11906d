"""What a disruption changes in the cluster's own objects is written down at the object before it is done, so that
whoever comes later can undo it, whatever became of the run that did it.
"""

from collections.abc import Iterable

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.model.workloads import Workload

REPLICAS = "harbor-verify/replicas"
"""On a workload: how many it had before it was scaled."""
CORDONED = "harbor-verify/cordoned"
"""On a node: it was cordoned by the suite."""


def scale(kubernetes: Kubernetes, workload: Workload, replicas: int) -> None:
    """Ask for so many replicas, and remember how many there were. Raises TargetUnreachable."""
    note = {"metadata": {"annotations": {REPLICAS: str(workload.desired)}}, "spec": {"replicas": replicas}}
    _patch(kubernetes, workload.kind, workload.namespace, workload.name, note)


def scale_back(kubernetes: Kubernetes, workload: Workload) -> None:
    """Ask for as many as before. Raises TargetUnreachable."""
    note = {"metadata": {"annotations": {REPLICAS: None}}, "spec": {"replicas": workload.desired}}
    _patch(kubernetes, workload.kind, workload.namespace, workload.name, note)


def cordon(kubernetes: Kubernetes, node: str) -> None:
    """Let no new pod come to a node, and remember that it was us. Raises TargetUnreachable."""
    note = {"metadata": {"annotations": {CORDONED: "true"}}, "spec": {"unschedulable": True}}
    kubernetes.ask(f"cordon node {node}", kubernetes.core.patch_node, node, note)


def uncordon(kubernetes: Kubernetes, node: str) -> None:
    """Raises TargetUnreachable."""
    note = {"metadata": {"annotations": {CORDONED: None}}, "spec": {"unschedulable": None}}
    kubernetes.ask(f"uncordon node {node}", kubernetes.core.patch_node, node, note)


def heal(kubernetes: Kubernetes, namespace: str, *, nodes: bool) -> list[str]:
    """Undo what a killed run left, and say what was done, a line each; `nodes`: whether we may look at nodes.

    Only whoever holds the namespace's Lease may do this. Raises TargetUnreachable.
    """
    done = []
    for kind, name, replicas in _scaled(kubernetes, namespace):
        note = {"metadata": {"annotations": {REPLICAS: None}}, "spec": {"replicas": replicas}}
        _patch(kubernetes, kind, namespace, name, note)
        done.append(f"{kind} {namespace}/{name} has its {replicas} replicas back, which an earlier run took")
    listed = kubernetes.ask("list the nodes", kubernetes.core.list_node).items if nodes else []
    for node in listed:
        if CORDONED in (node.metadata.annotations or {}):
            uncordon(kubernetes, node.metadata.name)
            done.append(f"node {node.metadata.name} takes pods again, which an earlier run had cordoned")
    return done


def _scaled(kubernetes: Kubernetes, namespace: str) -> Iterable[tuple[str, str, int]]:
    sources = (
        ("ReplicationController", kubernetes.core.list_namespaced_replication_controller),
        ("Deployment", kubernetes.apps.list_namespaced_deployment),
        ("StatefulSet", kubernetes.apps.list_namespaced_stateful_set),
    )
    for kind, list_all in sources:
        for item in kubernetes.ask(f"list {kind}s in {namespace}", list_all, namespace).items:
            before = (item.metadata.annotations or {}).get(REPLICAS, "")
            if before.isdecimal():
                yield kind, item.metadata.name, int(before)


def _patch(kubernetes: Kubernetes, kind: str, namespace: str, name: str, note: dict) -> None:
    change = {
        "ReplicationController": kubernetes.core.patch_namespaced_replication_controller,
        "Deployment": kubernetes.apps.patch_namespaced_deployment,
        "StatefulSet": kubernetes.apps.patch_namespaced_stateful_set,
    }[kind]
    kubernetes.ask(f"change {kind} {namespace}/{name}", change, name, namespace, note)
