"""There are no PodDisruptionBudgets, as is the chart's default."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object


def _leave_out(objects: list[Object]) -> None:
    objects[:] = [each for each in objects if each["kind"] != "PodDisruptionBudget"]


DEFECT = Defect(
    report="hh#1509",
    shows="nothing, until an upgrade of the cluster drains nodes side by side: then all replicas of a part are evicted",
    turns_red=frozenset({"configuration.disruption-budgets-present"}),
    change=_leave_out,
)
