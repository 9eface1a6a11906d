"""The ingress controller that leads clients to Harbor is one pod."""

from lab.defects import Defect
from lab.kubernetes import ingress_controller

DEFECT = Defect(
    report="hh#2154",
    shows="when its only pod or the node under it dies, nobody gets an answer until there is another",
    layout="ingress",
    turns_red=frozenset({"configuration.front-door-not-on-one-pod"}),
    hint_says=("replicas",),
    plant_outside=lambda lab: ingress_controller.scale(1),
    heal_outside=lambda lab: ingress_controller.scale(ingress_controller.REPLICAS),
)
