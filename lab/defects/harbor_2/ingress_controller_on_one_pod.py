"""The ingress controller, which all clients come in through, was scaled down to one pod."""

from lab.defects import Defect
from lab.kubernetes import ingress_controller

DEFECT = Defect(
    report="ingress-nginx's chart: controller.replicaCount is 1 by default",
    shows="nothing, until that pod or its node is lost: then nobody comes in, with all of Harbor well",
    turns_red=frozenset({"configuration.front-door-not-on-one-pod"}),
    hint_says=("ingress controller",),
    layout="ingress",
    plant_outside=lambda lab: ingress_controller.scale(1),
    heal_outside=lambda lab: ingress_controller.scale(ingress_controller.REPLICAS),
)
