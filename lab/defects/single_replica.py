"""nginx-rc has one replica."""

from lab.defects import Defect
from lab.manifests.objects import Object, find


def _leave_one(objects: list[Object]) -> None:
    find(objects, "ReplicationController", "nginx-rc")["spec"]["replicas"] = 1


DEFECT = Defect(
    report="the reference deployment's own warning",
    shows="while its only pod is replaced nobody gets an answer",
    turns_red=frozenset({"configuration.components-replicated", "failover.nginx-pod-kill"}),
    change=_leave_one,
)
