"""registry-rc mounts its ConfigMap where an older image read it; this one reads /etc/registry/config.yml."""

from lab.defects import Defect, whatever_pushes
from lab.defects.harbor_1_2 import SOME_FAILOVER
from lab.deployment.manifests.objects import Object, container_of, mount_of


def _mount_elsewhere(objects: list[Object]) -> None:
    mount_of(container_of(objects, "registry-rc"), "config")["mountPath"] = "/etc/docker/registry"


DEFECT = Defect(
    report="h#3637, h#4200",
    shows="the image's sample configuration runs: anonymous /v2/ is 200, images are gone with their pod",
    turns_red=frozenset(
        {
            "access.anonymous-may-pull-public-but-not-push",
            "access.docker-login",
            "access.private-project-hidden-from-anonymous",
            "access.realm-reachable-by-clients",
            "configuration.registry-config-in-effect",
            "configuration.registry-config-mounted-where-it-is-read",
            "configuration.registry-root-inside-volume",
            "configuration.registry-trusts-token-key",
            "images.mount-needs-pull-right",
            "registry.pushed-on-one-pulled-on-every",
            "registry.upload-continues-on-another-replica",
            "storage.image-survives-registry-pod-deletion",
        }
    )
    | whatever_pushes.CHECKS
    | SOME_FAILOVER,
    causes=frozenset({"configuration.registry-config-mounted-where-it-is-read"}),
    change=_mount_elsewhere,
)
