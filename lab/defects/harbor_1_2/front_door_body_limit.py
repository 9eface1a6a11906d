"""nginx takes no body above 10 MB: small images pass, and the first real one does not."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find


def _limit(objects: list[Object]) -> None:
    nginx = find(objects, "ConfigMap", "harbor-nginx-config")
    change_text(nginx, "config", "client_max_body_size 0;", "client_max_body_size 10m;")


DEFECT = Defect(
    report="harbor-operator#62",
    shows="docker push of a layer above 10 MB ends with 413",
    turns_red=frozenset({"images.layer-sizes", "configuration.front-door-limits-no-bodies"}),
    causes=frozenset({"images.layer-sizes"}),
    hint_says=("client_max_body_size",),
    change=_limit,
)
