"""registry-rc mounts its ConfigMap where an older image read it; this one reads /etc/registry/config.yml."""

from lab.defects import Defect
from lab.manifests.objects import Object, container_of, mount_of


def _mount_elsewhere(objects: list[Object]) -> None:
    mount_of(container_of(objects, "registry-rc"), "config")["mountPath"] = "/etc/docker/registry"


DEFECT = Defect(
    report="h#3637, h#4200",
    shows="the image's sample configuration runs: anonymous /v2/ is 200, images are gone with their pod",
    turns_red=frozenset(
        {
            "configuration.registry-config-mounted-where-it-is-read",
            "configuration.registry-config-in-effect",
            "registry.busybox-push-pull",
        }
    ),
    change=_mount_elsewhere,
)
