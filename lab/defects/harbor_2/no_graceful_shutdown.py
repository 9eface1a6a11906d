"""Pods end the moment that they are told to, while requests are still led to them, and nobody asks another one."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, of_kind


def _end_at_once(objects: list[Object]) -> None:
    for deployment in of_kind(objects, "Deployment"):
        deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1


DEFECT = Defect(
    report="hh#2156, hh#1722",
    shows="nothing, until pods are replaced: some requests fail with each upgrade, scale-down and drained node",
    turns_red=frozenset(
        {
            "failover.node-drain",
            "failover.registry-rolling-restart",
            "failover.web-rolling-restart",
            "failover.web-scale-down",
        }
    ),
    hint_says=("preStop",),
    layout="chart-probes",
    change=_end_at_once,
)
