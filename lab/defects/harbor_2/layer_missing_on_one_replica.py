"""One registry replica lacks a layer that the others have: its node shows less of the file system than there is."""

import json

from lab import machine_control
from lab.command import run
from lab.defects import Defect, Lab, left_images


def _plant(lab: Lab) -> None:
    left_images.leave(lab)
    processes = _processes(lab)
    # The one that is asked for this layer first (harbor_verify.audit.walk), so that it is the same each time. Its
    # mounts are its own: the others, and the volume, keep the layer.
    asked_first = processes[int(left_images.DIGEST[-8:], 16) % len(processes)]
    _run_inside(
        asked_first, "busybox", "mount", "-t", "tmpfs", "nothing", left_images.folder_of(left_images.DIGEST)
    )


def _heal(lab: Lab) -> None:
    folder = left_images.folder_of(left_images.DIGEST)
    for pid in _processes(lab):
        _run_inside(pid, "busybox", "sh", "-c", f"while busybox umount {folder} 2>/dev/null; do :; done")
    left_images.remove(lab)


def _processes(lab: Lab) -> list[int]:
    """The registry of each replica, by the numbers of this machine; the oldest first."""
    words = ("get", "pods", "--selector=component=registry", f"--namespace={lab.profile.namespace}")
    pods = json.loads(lab.kubectl(*words, "--output=json"))["items"]
    return [
        machine_control.first_process(pod["spec"]["nodeName"], container["containerID"].rpartition("/")[2])
        for pod in sorted(
            pods, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])
        )
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["status"]["containerStatuses"]
        if container["name"] == "registry"
    ]


def _run_inside(pid: int, *argv: str) -> None:
    """With what a process has mounted. Raises CommandFailed."""
    run(["nsenter", f"--target={pid}", "--mount", "--", *argv])


DEFECT = Defect(
    report="h#15234, h#17504: a mount that is not what it was",
    shows="every third pull of one image fails with 404 for a layer, and the next try works",
    turns_red=frozenset({"integrity.images-whole", "integrity.redis-vouches-for-what-is-there"}),
    causes=frozenset({"integrity.redis-vouches-for-what-is-there"}),
    hint_says=("leave Redis alone", "delete its pod"),
    layout="reference",
    plant_outside=_plant,
    heal_outside=_heal,
)
