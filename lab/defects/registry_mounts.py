"""What is mounted over folders that a single registry replica sees: the others, and the volume, take no notice."""

import json

from lab import machine_control
from lab.command import run
from lab.defects import Lab


def processes(lab: Lab) -> list[int]:
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


def hide(process: int, folder: str, *options: str) -> None:
    """Mount an empty folder over one that this process sees, unless one is there. Raises CommandFailed."""
    run_inside(
        process,
        f"busybox mountpoint -q {folder} || busybox mount -t tmpfs {' '.join(options)} nothing {folder}",
    )


def show(lab: Lab, folder: str) -> None:
    """Take away what is mounted over a folder, on every replica."""
    for process in processes(lab):
        run_inside(process, f"while busybox umount {folder} 2>/dev/null; do :; done")


def run_inside(process: int, script: str) -> None:
    """With what a process has mounted. Raises CommandFailed."""
    run(["nsenter", f"--target={process}", "--mount", "--", "busybox", "sh", "-ec", script])
