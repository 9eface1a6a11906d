"""Both pods that lead to the database are bound to one node."""

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, pod_of
from lab.layouts.harbor_2.pgbouncer import NAME


def _bind(objects: list[Object]) -> None:
    pod_of(objects, NAME)["nodeSelector"] = {"kubernetes.io/hostname": next(iter(settings.NODES))}


DEFECT = Defect(
    report="hh#1294, of the pods that Harbor stands on",
    shows="nothing, until that node is lost, and with it every way to the database",
    layout="pgbouncer",
    turns_red=frozenset({"configuration.stores-spread-over-nodes"}),
    hint_says=("podAntiAffinity", "topologySpreadConstraints"),
    change=_bind,
)
