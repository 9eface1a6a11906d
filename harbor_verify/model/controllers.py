"""The controllers of pods in a namespace: which there are, and the labels by which Harbor's own are asked for."""

from collections.abc import Collection, Iterable
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import RightMissing
from harbor_verify.model.labels import asked_of, selector_of_all
from harbor_verify.model.workloads import Workload


def list_in(
    kubernetes: Kubernetes, namespace: str, kinds: Collection[str] | None = None, selector: str = ""
) -> tuple[list[tuple[str, Any]], list[RightMissing]]:
    """(kind, object) of each that this account may list, and why it may not list others: they may not be needed.

    `kinds`: None for all that there are; `selector`: of their own labels, empty for whatever labels they have.
    Raises TargetUnreachable.
    """
    found: list[tuple[str, Any]] = []
    hidden: list[RightMissing] = []
    sources = (
        ("ReplicationController", kubernetes.core.list_namespaced_replication_controller),
        ("Deployment", kubernetes.apps.list_namespaced_deployment),
        ("StatefulSet", kubernetes.apps.list_namespaced_stateful_set),
    )
    for kind, list_all in sources:
        if kinds is not None and kind not in kinds:
            continue
        try:
            listed = kubernetes.pages(
                f"list {kind}s in {namespace}", list_all, namespace, label_selector=selector
            )
            found += [(kind, item) for item in listed]
        except RightMissing as missing:
            hidden.append(missing)
    return found, hidden


def desired_of(controller: Any) -> int:
    """How many pods it is asked for."""
    return 1 if controller.spec.replicas is None else int(controller.spec.replicas)


def labels_of_pods(controller: Any) -> dict[str, str]:
    """The labels by which the pods of a controller of `list_in` are found."""
    selector, template = controller.spec.selector, controller.spec.template.metadata
    if isinstance(selector, dict):
        return dict(selector)
    return asked_of(selector, (template.labels if template else None) or {})


def selector_of(workloads: Iterable[Workload]) -> str:
    """A selector by labels that each of these controllers has itself; empty where they have none in common.

    Of the labels by which it chooses its pods: these outlive an upgrade, as that of a chart's version does not.
    """
    return selector_of_all(dict(set(each.selector) & set(each.labels.items())) for each in workloads)
