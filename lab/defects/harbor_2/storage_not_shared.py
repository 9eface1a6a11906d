"""Each registry replica keeps its images in a folder of its own, though the volume is mounted on all."""

from lab.defects import Defect, Lab, whatever_pushes
from lab.defects.left_images import CACHE_DATABASE
from lab.deployment import registry_cache
from lab.deployment.manifests.objects import Object, container_of, mount_of, pod_of, tell_node

_USER = 10000


def _one_folder_a_node(objects: list[Object]) -> None:
    containers = [container_of(objects, "harbor-registry", name) for name in ("registry", "registryctl")]
    for container in containers:
        tell_node(container)
        mount_of(container, "registry-data")["subPathExpr"] = "$(NODE_NAME)"
    # The kubelet makes such a folder for root alone.
    make = f"mkdir -p /storage/$NODE_NAME && chown {_USER} /storage/$NODE_NAME"
    begin: Object = {
        "name": "folder",
        "image": containers[0]["image"],
        "command": ["/bin/sh", "-c", make],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "registry-data", "mountPath": "/storage"}],
    }
    tell_node(begin)
    pod_of(objects, "harbor-registry")["initContainers"] = [begin]


def _empty_cache(lab: Lab) -> None:
    """It is of another storage, which is a defect of its own."""
    registry_cache.empty(CACHE_DATABASE)


DEFECT = Defect(
    report="h#15234, h#17504, h#22417",
    shows="what was pushed to one replica is unknown to the others: pushes break off, and most pulls fail",
    turns_red=frozenset(
        {
            "integrity.redis-vouches-for-what-is-there",
            "registry.pushed-on-one-pulled-on-every",
            "registry.upload-continues-on-another-replica",
        }
    ),
    # Which replica core asks for them is luck.
    may_turn_red=whatever_pushes.WITH_RIGHTS_AND_PARTS,
    causes=frozenset({"registry.pushed-on-one-pulled-on-every"}),
    hint_says=("ReadWriteMany claim",),
    change=_one_folder_a_node,
    plant_outside=_empty_cache,
    heal_outside=_empty_cache,
)
