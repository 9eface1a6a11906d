"""Each adminserver has settings of its own, as after a change in the web interface, which reaches one of them."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, tell_node


def _give_each_its_own(objects: list[Object]) -> None:
    container = container_of(objects, "adminserver-rc")
    tell_node(container)
    container["env"].append({"name": "EMAIL_HOST", "value": "smtp.$(NODE_NAME).invalid"})


DEFECT = Defect(
    report="the reference deployment's own warning",
    shows="settings change back and forth every few seconds",
    turns_red=frozenset({"configuration.configuration-store-replicas-agree"}),
    hint_says=("ConfigMap",),
    change=_give_each_its_own,
)
