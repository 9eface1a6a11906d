"""All cores are bound to one node."""

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, pod_of


def _bind(objects: list[Object]) -> None:
    pod_of(objects, "harbor-core")["nodeSelector"] = {"kubernetes.io/hostname": next(iter(settings.NODES))}


DEFECT = Defect(
    report="hh#1294",
    shows="nothing, until that node is lost, and with it every core",
    turns_red=frozenset({"configuration.replicas-spread-over-nodes"}),
    hint_says=("podAntiAffinity", "topologySpreadConstraints"),
    takes=frozenset({"where cores run"}),
    change=_bind,
)
