"""The registry, of which there is one, keeps images in its container and not on the volume that is mounted."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, workload


def _keep_inside(objects: list[Object]) -> None:
    # One replica, or nothing would work even before its pod dies: each would have its own images.
    workload(objects, "harbor-registry")["spec"]["replicas"] = 1
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
    not_applicable=frozenset(
        {"registry.pushed-on-one-pulled-on-every", "registry.upload-continues-on-another-replica"}
    ),
    change=_keep_inside,
)
