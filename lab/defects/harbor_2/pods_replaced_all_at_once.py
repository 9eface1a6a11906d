"""Cores and registries have `strategy: Recreate`, as the chart advises where a volume takes one node only."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, workload


def _recreate(objects: list[Object]) -> None:
    for name in ("harbor-core", "harbor-registry"):
        workload(objects, name)["spec"]["strategy"] = {"type": "Recreate"}


DEFECT = Defect(
    report="the chart: updateStrategy.type; left behind after the volume was changed to one that all nodes share",
    shows="nothing, until an upgrade: every replica ends before the first new one begins",
    turns_red=frozenset({"failover.registry-rolling-restart", "failover.web-rolling-restart"}),
    hint_says=("maxUnavailable",),
    change=_recreate,
)
