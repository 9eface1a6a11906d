"""Each registry replica signs the state of an upload with a secret of its own."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, tell_node


def _give_each_its_own(objects: list[Object]) -> None:
    container = container_of(objects, "harbor-registry", "registry")
    tell_node(container)
    container["env"].append({"name": "REGISTRY_HTTP_SECRET", "value": "$(NODE_NAME)-secret"})


DEFECT = Defect(
    report="distribution/distribution#2519",
    shows="an upload that goes on at another replica is refused, and docker push begins again, and again",
    turns_red=frozenset({"registry.upload-continues-on-another-replica"}),
    hint_says=("REGISTRY_HTTP_SECRET",),
    change=_give_each_its_own,
)
