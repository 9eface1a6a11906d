"""What a disruption changes in the cluster's own objects: written into the ledger first, with the value before, and
marked at the object in the same request that changes it.

What bears another mark, or none, was changed by somebody else since, and is left as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import CannotTell, HarnessError
from harbor_verify.ledger import BROKEN, Entry, Ledger
from harbor_verify.model.controllers import desired_of
from harbor_verify.model.rollouts import rollout_of
from harbor_verify.model.workloads import Rollout, Workload

MARK = "harbor-verify/broken-by"
"""An annotation of what is broken: the key of its entry in the ledger."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a template by which its pods are replaced, as `kubectl rollout restart` writes it."""
_TRIES = 3


def scale(ledger: Ledger, kubernetes: Kubernetes, workload: Workload, replicas: int) -> None:
    """Ask for so many replicas. Raises TargetUnreachable, CannotTell, LeaseLost."""
    # Read now, for an autoscaler may have changed it since the workload was found.
    before = _read(kubernetes, workload.kind, workload.namespace, workload.name).spec.replicas
    entry = ledger.broken(workload.kind, workload.name, replicas=before, scaled_to=replicas)
    note = {**_marked(entry.key), "spec": {"replicas": replicas}}
    _patch(kubernetes, workload.kind, workload.namespace, workload.name, note)


def restart(ledger: Ledger, kubernetes: Kubernetes, workload: Workload) -> None:
    """Have the pods of a Deployment or StatefulSet replaced. Raises as `scale`."""
    template = _read(kubernetes, workload.kind, workload.namespace, workload.name).spec.template
    before = (template.metadata.annotations or {}).get(RESTARTED) if template.metadata else None
    entry = ledger.broken(workload.kind, workload.name, restarted_at=before)
    note = {**_marked(entry.key), "spec": _restarted(datetime.now(UTC).isoformat())}
    _patch(kubernetes, workload.kind, workload.namespace, workload.name, note)


def rollout(kubernetes: Kubernetes, workload: Workload) -> Rollout:
    """How far a Deployment or StatefulSet is with its template. Raises TargetUnreachable, CannotTell."""
    return rollout_of(_read(kubernetes, workload.kind, workload.namespace, workload.name))


def asked_for(kubernetes: Kubernetes, workload: Workload) -> int:
    """How many replicas its controller asks for now. Raises TargetUnreachable, CannotTell."""
    return desired_of(_read(kubernetes, workload.kind, workload.namespace, workload.name))


def cordon(ledger: Ledger, kubernetes: Kubernetes, node: str, pods: Sequence[str]) -> None:
    """Let no new pod come to a node, to evict `pods` from it.

    Raises CannotTell where somebody else has cordoned it, TargetUnreachable, LeaseLost.
    """
    for _ in range(_TRIES):
        present = _node(kubernetes, node)
        if present is None or present.spec.unschedulable:
            why = "is not there" if present is None else "is cordoned already, by somebody else"
            raise CannotTell(f"node {node} {why}: it is left alone")
        entry = ledger.broken("Node", node, unschedulable=False, evicted_pods=list(pods))
        # Upon the node as it was seen: whoever cordons it meanwhile was first.
        note = _marked(entry.key, version=present.metadata.resource_version)
        note["spec"] = {"unschedulable": True}
        with kubernetes.asking(f"cordon node {node}"):
            try:
                kubernetes.core.patch_node(node, note)
                return
            except client.ApiException as answer:
                if answer.status != 409:
                    raise
        ledger.drop(entry)
    raise CannotTell(f"node {node} is changed by others all the time: it is left alone")


def mend_own(ledger: Ledger, kubernetes: Kubernetes, namespace: str, kind: str, name: str) -> None:
    """Undo whatever stands in the ledger of that object. Raises TargetUnreachable."""
    for entry in ledger.entries():
        if (entry.act, entry.kind, entry.name) == (BROKEN, kind, name):
            mend(kubernetes, namespace, entry)
            # A line that stays is struck out by whoever heals next: the object bears no mark any more.
            with suppress(HarnessError):
                ledger.drop(entry)


def mend(kubernetes: Kubernetes, namespace: str, entry: Entry) -> str:
    """Undo what an entry says was broken; what was done, in a line, empty where there was nothing to do.

    A restart is undone that has not come to its end; another one would replace the pods once more for nothing.
    A second call has nothing to do. Raises TargetUnreachable, CannotTell.
    """
    if entry.kind == "Node":
        return _uncordon(kubernetes, entry)
    if entry.kind not in _KINDS:
        # A deleted pod: its controller has made another.
        return ""
    present = _read_if_there(kubernetes, entry.kind, namespace, entry.name)
    if present is None or not _bears(present, entry):
        return ""
    what = f"{entry.kind} {namespace}/{entry.name}"
    note, done = _marked(None), f"{what} is no longer marked as broken"
    before, scaled_to, now = entry.more.get("replicas"), entry.more.get("scaled_to"), present.spec.replicas
    if isinstance(before, int) and isinstance(scaled_to, int):
        # No fewer than before; who has asked for more meanwhile, or for none at all, knows why.
        if scaled_to <= now < before:
            note["spec"] = {"replicas": before}
            done = f"{what} has its {before} replicas back, of which a run had taken all but {scaled_to}"
    elif "restarted_at" in entry.more and not rollout_of(present).is_complete:
        note["spec"] = _restarted(entry.more["restarted_at"])
        done = f"{what} has the template back that it had before a run restarted it: its pods are replaced"
    _patch(kubernetes, entry.kind, namespace, entry.name, note)
    return done


def _uncordon(kubernetes: Kubernetes, entry: Entry) -> str:
    present = _node(kubernetes, entry.name)
    if present is None or not _bears(present, entry):
        return ""
    note = {**_marked(None), "spec": {"unschedulable": None}}
    kubernetes.ask(f"uncordon node {entry.name}", kubernetes.core.patch_node, entry.name, note)
    return f"node {entry.name} takes pods again, which a run had cordoned"


def _bears(present: Any, entry: Entry) -> bool:
    return (present.metadata.annotations or {}).get(MARK) == entry.key


def _marked(key: str | None, version: str | None = None) -> dict[str, Any]:
    upon = {"resourceVersion": version} if version else {}
    return {"metadata": {"annotations": {MARK: key}, **upon}}


def _restarted(value: str | None) -> dict[str, Any]:
    return {"template": {"metadata": {"annotations": {RESTARTED: value}}}}


def _node(kubernetes: Kubernetes, name: str) -> client.V1Node | None:
    """By a list, for which alone this suite asks the right."""
    list_nodes, only = kubernetes.core.list_node, f"metadata.name={name}"
    listed = kubernetes.ask(f"list node {name}", list_nodes, field_selector=only).items
    return next((node for node in listed if node.metadata.name == name), None)


_KINDS: Mapping[str, tuple[str, str]] = {
    "ReplicationController": ("core", "replication_controller"),
    "Deployment": ("apps", "deployment"),
    "StatefulSet": ("apps", "stateful_set"),
}


def _call(kubernetes: Kubernetes, verb: str, kind: str) -> Callable[..., Any]:
    group, resource = _KINDS[kind]
    call: Callable[..., Any] = getattr(getattr(kubernetes, group), f"{verb}_namespaced_{resource}")
    return call


def _read_if_there(kubernetes: Kubernetes, kind: str, namespace: str, name: str) -> Any:
    """None where there is no such object."""
    with kubernetes.asking(f"read {kind} {namespace}/{name}"):
        try:
            return _call(kubernetes, "read", kind)(name, namespace)
        except client.ApiException as answer:
            if answer.status != 404:
                raise
    return None


def _read(kubernetes: Kubernetes, kind: str, namespace: str, name: str) -> Any:
    present = _read_if_there(kubernetes, kind, namespace, name)
    if present is None:
        raise CannotTell(f"{kind} {namespace}/{name} is not there any more")
    return present


def _patch(kubernetes: Kubernetes, kind: str, namespace: str, name: str, note: Mapping[str, Any]) -> None:
    change = _call(kubernetes, "patch", kind)
    kubernetes.ask(f"change {kind} {namespace}/{name}", change, name, namespace, note)
