"""The registry's volume and claim say ReadWriteOnce, as is the chart's default, though three replicas mount them."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _for_one_node(objects: list[Object]) -> None:
    for kind, name in (
        ("PersistentVolume", "harbor-2-registry-pv"),
        ("PersistentVolumeClaim", "harbor-registry"),
    ):
        find(objects, kind, name)["spec"]["accessModes"] = ["ReadWriteOnce"]


DEFECT = Defect(
    report="hh#224, h#18067",
    # CephFS does not hold one to it; a disk would leave all replicas but one waiting for it.
    shows="with a storage class that means it, replicas on other nodes hang in ContainerCreating",
    turns_red=frozenset({"storage.access-mode-shared"}),
    takes=frozenset({"claims"}),
    change=_for_one_node,
)
