"""There is one replica of each part, as is the chart's default, and a new one takes half a minute to start."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, of_kind


def _leave_one_of_each(objects: list[Object]) -> None:
    for workload in of_kind(objects, "Deployment"):
        spec = workload["spec"]
        spec["replicas"] = 1
        # A budget of one replica, with maxUnavailable 1, lets it go: a drain takes it away.
        spec["strategy"] = {"type": "Recreate"}
        for container in spec["template"]["spec"]["containers"]:
            container["readinessProbe"]["initialDelaySeconds"] = 30
            # The end is abrupt, too.
            container.pop("lifecycle", None)


DEFECT = Defect(
    report="hh#1294; the chart's default",
    shows="each pod, or node, that goes takes Harbor away for half a minute",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "failover.front-door-abrupt-pod-kill",
            "failover.page-pod-kill",
            "failover.registry-abrupt-pod-kill",
            "failover.registry-rolling-restart",
            "failover.web-abrupt-pod-kill",
            "failover.web-rolling-restart",
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
    hint_says=("kubectl scale",),
    change=_leave_one_of_each,
)
