"""nginx takes no body of 8 MB: small images pass, and the first real one does not."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="client_max_body_size 0;",
    new="client_max_body_size 8m;",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="harbor-operator#62",
    shows="docker push of a layer above 8 MB ends with 413",
    turns_red=frozenset({"images.layer-sizes", "configuration.front-door-limits-no-bodies"}),
    causes=frozenset({"images.layer-sizes"}),
    hint_says=("client_max_body_size",),
    change=_EDIT.everywhere,
)
ON_ONE = Defect(
    report="harbor-operator#62",
    shows="every third docker push of a layer above 8 MB ends with 413, and the next try mostly works",
    turns_red=frozenset(
        {
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "images.layer-sizes",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("ConfigMap", "kubectl rollout restart"),
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
UNREAD = Defect(
    report="harbor-operator#62",
    shows="nothing, until an nginx pod is started anew: then pushes fail one time of three, and in the end always",
    turns_red=frozenset(
        {"configuration.replicas-run-what-is-declared", "configuration.front-door-limits-no-bodies"}
    ),
    hint_says=("take it back",),
    plant_outside=_EDIT.plant_unread,
    heal_outside=_EDIT.heal_unread,
)
