"""A second PodDisruptionBudget, for all of Harbor, chooses pods that each have one already."""

from copy import deepcopy

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _add_one_for_all(objects: list[Object]) -> None:
    of_all = deepcopy(find(objects, "PodDisruptionBudget", "harbor-core"))
    of_all["metadata"]["name"] = "harbor"
    del of_all["spec"]["selector"]["matchLabels"]["component"]
    objects.append(of_all)


DEFECT = Defect(
    report="pytorch/ci-infra#551; Kubernetes: eviction of a pod with two budgets is refused",
    shows="nothing, until a node is to be drained: the API answers each eviction with 500",
    turns_red=frozenset({"configuration.disruption-budgets-present"}),
    hint_says=("two for the same pods",),
    change=_add_one_for_all,
)
