"""The registry was started while its ConfigMap named another folder, for a moment: it keeps images in its container."""

from lab.defects import Defect, Lab
from lab.defects.drift import edit_for_one
from lab.defects.left_images import CACHE_DATABASE
from lab.deployment import registry_cache
from lab.deployment.manifests.objects import Object, workload

_drift, _undo = edit_for_one(
    "harbor-registry",
    "config.yml",
    "rootdirectory: /storage",
    "rootdirectory: /tmp/registry",
    deployment="harbor-registry",
)


def _plant(lab: Lab) -> None:
    _drift(lab)
    registry_cache.empty(CACHE_DATABASE)  # it is of another storage, which is a defect of its own


def _heal(lab: Lab) -> None:
    _undo(lab)
    registry_cache.empty(CACHE_DATABASE)


def _one_replica(objects: list[Object]) -> None:
    # Of three, one that has images of its own spoils whatever push meets it, so that what else is red is luck.
    workload(objects, "harbor-registry")["spec"]["replicas"] = 1


DEFECT = Defect(
    report="h#3637, h#4200",
    shows="all that is declared is right, and every image that was pushed is gone with the registry's pod",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "configuration.registry-root-inside-volume",
            "configuration.replicas-run-what-is-declared",
        }
    ),
    not_applicable=frozenset(
        {"registry.pushed-on-one-pulled-on-every", "registry.upload-continues-on-another-replica"}
    ),
    change=_one_replica,
    plant_outside=_plant,
    heal_outside=_heal,
)
