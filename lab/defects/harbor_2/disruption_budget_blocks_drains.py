"""The PodDisruptionBudget of core lets no replica go."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _keep_all(objects: list[Object]) -> None:
    find(objects, "PodDisruptionBudget", "harbor-core")["spec"]["maxUnavailable"] = 0


DEFECT = Defect(
    report="pytorch/ci-infra#551",
    shows="nothing, until a node with a core is to be drained: that never ends, and the cluster's upgrade hangs",
    turns_red=frozenset({"configuration.disruption-budgets-present"}),
    hint_says=("lets nobody go",),
    change=_keep_all,
)
