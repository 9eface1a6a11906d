"""Every component has one pod, which takes its time, and all are pinned to one node, as for a volume of that node."""

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
            pod["nodeSelector"] = {"kubernetes.io/hostname": _NODE}
            for container in pod["containers"]:
                container.get("readinessProbe", {}).update(_PROBE)


DEFECT = Defect(
    report="the official chart's default; nodeSelector, where its volumes are of one node",
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
            "failover.web-abrupt-pod-kill",
            "failover.web-container-kill",
            "failover.web-pause",
        }
    ),
    # The only pod, deleted with grace, serves until it ends, and mostly there is another by then.
    may_turn_red=frozenset({"failover.registry-pod-kill", "failover.web-pod-kill"}),
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
