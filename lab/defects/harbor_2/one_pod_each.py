"""Every component has one pod, which takes its time, and all are on one node: `helm install` without any values."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object

_PROBE = {"initialDelaySeconds": 10, "periodSeconds": 10}
"""The official chart asks every ten seconds; a real core takes that long to start, and the stand-in does not."""
_NODE = "node-3"
"""Clients do not come in by it, so it can be lost."""


def _leave_one(objects: list[Object]) -> None:
    for found in objects:
        if found["kind"] == "Deployment":
            found["spec"]["replicas"] = 1
            pod = found["spec"]["template"]["spec"]
            pod["affinity"] = {
                "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_preferred()]}
            }
            for container in pod["containers"]:
                container.get("readinessProbe", {}).update(_PROBE)


def _preferred() -> Object:
    on_it = {"key": "kubernetes.io/hostname", "operator": "In", "values": [_NODE]}
    return {"weight": 100, "preference": {"matchExpressions": [on_it]}}


DEFECT = Defect(
    report="the official chart's default",
    shows="whenever a pod dies, its part of Harbor is away until there is another: a quarter of a minute and more",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "failover.front-door-abrupt-pod-kill",
            "failover.front-door-pod-kill",
            "failover.node-drain",
            "failover.node-loss",
            "failover.page-pod-kill",
            "failover.registry-abrupt-pod-kill",
            "failover.registry-container-kill",
            "failover.registry-pause",
            "failover.registry-pod-kill",
            "failover.web-abrupt-pod-kill",
            "failover.web-container-kill",
            "failover.web-pause",
            "failover.web-pod-kill",
        }
    ),
    causes=frozenset({"configuration.components-replicated"}),
    not_applicable=frozenset(
        {
            "configuration.csrf-key-same-on-every-replica",
            "configuration.replicas-spread-over-nodes",
            "registry.pushed-on-one-pulled-on-every",
            "registry.upload-continues-on-another-replica",
            "sessions.known-to-every-replica",
            "storage.access-mode-shared",
            "storage.job-logs-shared",
        }
    ),
    change=_leave_one,
)
