"""nginx-rc has one replica."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _leave_one(objects: list[Object]) -> None:
    find(objects, "ReplicationController", "nginx-rc")["spec"]["replicas"] = 1


DEFECT = Defect(
    report="the reference deployment's own warning",
    # Deleted with grace it is no outage: it serves until its successor is Ready. The death of its node is one.
    shows="when its only pod or the node under it dies, nobody gets an answer until there is another",
    turns_red=frozenset({"configuration.components-replicated"}),
    change=_leave_one,
)
