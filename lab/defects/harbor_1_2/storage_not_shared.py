"""Each registry replica keeps its images in a folder of its own, though the volume is mounted on all."""

from lab.defects import Defect, whatever_pushes
from lab.defects.harbor_1_2 import SOME_FAILOVER
from lab.deployment.manifests.objects import Object, container_of, mount_of, tell_node


def _one_folder_a_node(objects: list[Object]) -> None:
    container = container_of(objects, "registry-rc")
    tell_node(container)
    mount_of(container, "storage")["subPathExpr"] = "$(NODE_NAME)"


DEFECT = Defect(
    report="h#15234, h#17504, h#22417",
    shows="what was pushed to one replica is unknown to the others: two pulls of three fail",
    turns_red=frozenset(
        {
            "registry.pushed-on-one-pulled-on-every",
            "registry.upload-continues-on-another-replica",
            "storage.image-survives-registry-pod-deletion",
        }
    )
    | whatever_pushes.CHECKS
    | SOME_FAILOVER,
    causes=frozenset({"registry.pushed-on-one-pulled-on-every"}),
    change=_one_folder_a_node,
)
