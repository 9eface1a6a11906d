"""No part of Harbor says what memory and CPU it needs, as the chart has it unless told otherwise."""

from lab.defects import Defect
from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind


def _say_nothing(objects: list[Object]) -> None:
    for workload in of_kind(objects, *WORKLOADS):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            container.pop("resources", None)


DEFECT = Defect(
    report="the chart's default; traPtitech/manifest#910",
    shows="nothing, until a node has no memory left: Harbor's pods are the first to be evicted from it",
    turns_red=frozenset({"capacity.resources-declared"}),
    hint_says=("requests",),
    takes=frozenset({"resources of containers"}),
    change=_say_nothing,
)
