"""The registry, of which there is one, keeps images in its container and not on the volume that is mounted."""

from lab.defects import Defect
from lab.defects.edit import Edit
from lab.deployment.manifests.objects import Object, container_of, workload

_EDIT = Edit(
    "harbor-registry",
    "config.yml",
    old="rootdirectory: /storage",
    new="rootdirectory: /tmp/registry",
    workload="harbor-registry",
)
_NO_OTHER_TO_ASK = frozenset(
    {"registry.pushed-on-one-pulled-on-every", "registry.upload-continues-on-another-replica"}
)


def _one_replica(objects: list[Object]) -> None:
    # Of three, one that has images of its own spoils whatever push meets it, so that what else is red is luck.
    workload(objects, "harbor-registry")["spec"]["replicas"] = 1


def _keep_inside(objects: list[Object]) -> None:
    # One replica, or nothing would work even before its pod dies: each would have its own images.
    _one_replica(objects)
    container_of(objects, "harbor-registry", "registry").setdefault("env", []).append(
        {"name": "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "value": "/tmp/registry"}
    )


DEFECT = Defect(
    report="h#3637, h#4200",
    shows="everything works until the registry's pod is replaced: then every image that was pushed is gone",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "configuration.registry-root-inside-volume",
            "failover.registry-pod-kill",
            "storage.image-survives-registry-pod-deletion",
        }
    ),
    causes=frozenset({"configuration.components-replicated", "configuration.registry-root-inside-volume"}),
    hint_says=("rootdirectory",),
    not_applicable=_NO_OTHER_TO_ASK,
    change=_keep_inside,
)
ON_ONE = Defect(
    report="h#3637, h#4200",
    # It was started while its ConfigMap named another folder, for a moment.
    shows="all that is declared is right, and every image that was pushed is gone with the registry's pod",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "configuration.registry-root-inside-volume",
            "configuration.replicas-run-what-is-declared",
        }
    ),
    hint_says=("rootdirectory", "the ConfigMap said something else"),
    not_applicable=_NO_OTHER_TO_ASK,
    change=_one_replica,
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
