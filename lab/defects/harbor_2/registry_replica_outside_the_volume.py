"""One registry replica keeps images in its container: it was started while the ConfigMap said so, for a moment."""

from lab.defects import Defect
from lab.defects.drift import edit_for_one

_plant, _heal = edit_for_one(
    "harbor-registry",
    "config.yml",
    "rootdirectory: /storage",
    "rootdirectory: /tmp/registry",
    deployment="harbor-registry",
)

DEFECT = Defect(
    report="h#15234, h#17504, h#22417",
    shows="every third push is known to one replica only, and every third pull ends with 404",
    turns_red=frozenset(
        {
            "configuration.registry-root-inside-volume",
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "registry.pushed-on-one-pulled-on-every",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    plant_outside=_plant,
    heal_outside=_heal,
)
