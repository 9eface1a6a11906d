"""Of two zones all cores are in one, on both of its nodes."""

from lab import settings
from lab.defects import Defect, Lab
from lab.deployment.manifests.objects import Object, pod_of

_ZONE = "topology.kubernetes.io/zone"
_ZONES = dict(zip(settings.NODES, ("zone-a", "zone-b", "zone-b"), strict=True))


def _label(lab: Lab) -> None:
    for node, zone in _ZONES.items():
        lab.kubectl("label", "node", node, f"{_ZONE}={zone}", "--overwrite")


def _unlabel(lab: Lab) -> None:
    for node in _ZONES:
        lab.kubectl("label", "node", node, f"{_ZONE}-")


def _bind(objects: list[Object]) -> None:
    # By the names of nodes, which are there before the labels are.
    nodes = [node for node, zone in _ZONES.items() if zone == "zone-b"]
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": nodes}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    pod_of(objects, "harbor-core")["affinity"] = {"nodeAffinity": required}


DEFECT = Defect(
    report="hh#1294, of zones",
    shows="nothing, until that zone is lost, and with it every core",
    turns_red=frozenset({"configuration.replicas-spread-over-zones"}),
    hint_says=("topologySpreadConstraints",),
    takes=frozenset({"where cores run"}),
    change=_bind,
    plant_outside=_label,
    heal_outside=_unlabel,
)
