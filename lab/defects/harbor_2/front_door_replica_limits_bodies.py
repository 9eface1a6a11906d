"""One nginx replica takes no body above 1 MiB: it was started while the ConfigMap said so, for a moment."""

from lab.defects import Defect
from lab.defects.drift import edit_for_one

_plant, _heal = edit_for_one(
    "harbor-nginx",
    "nginx.conf",
    "client_max_body_size 0;",
    "client_max_body_size 1m;",
    deployment="harbor-nginx",
)

DEFECT = Defect(
    report="harbor-operator#62",
    shows="every third docker push of a real image ends with 413, and the next try mostly works",
    turns_red=frozenset(
        {
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "images.layer-sizes",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    plant_outside=_plant,
    heal_outside=_heal,
)
