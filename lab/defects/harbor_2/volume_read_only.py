"""The registry's volume is mounted read-only."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, mount_of


def _forbid_writing(objects: list[Object]) -> None:
    mount_of(container_of(objects, "harbor-registry", "registry"), "registry-data")["readOnly"] = True


DEFECT = Defect(
    report="hh#578, hh#834",
    shows="all pods are Ready, pulls work, and every push ends with 500",
    turns_red=frozenset(
        {
            "access.anonymous-may-pull-public-but-not-push",
            "access.robot-account-pushes-and-pulls",
            "registry.busybox-push-pull",
            "registry.concurrent-pushes",
            "registry.corrupted-blob-refused",
            "registry.delete-removes",
            "registry.kubelet-pulls-with-pull-secret",
            "registry.pushed-on-one-pulled-on-every",
            "registry.quota-follows-pushes",
            "registry.repository-appears-in-harbor",
            "registry.upload-continues-on-another-replica",
            "storage.volume-mounted-in-every-replica",
        }
    ),
    causes=frozenset({"storage.volume-mounted-in-every-replica"}),
    hint_says=("readOnly",),
    change=_forbid_writing,
)
