"""What is mounted over folders that a single registry replica sees: the others, and the volume, take no notice."""

from lab import machine_control
from lab.command import run
from lab.defects import Lab, containers


def processes(lab: Lab) -> list[int]:
    """The registry of each replica, by the numbers of this machine; the oldest first."""
    return [
        machine_control.first_process(node, container)
        for node, container in containers.running(lab, "registry", "registry")
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


def run_inside(process: int, script: str, *, user: int = 0) -> None:
    """With what a process has mounted. Raises CommandFailed."""
    who = (f"--setuid={user}", f"--setgid={user}")
    run(["nsenter", f"--target={process}", "--mount", *who, "--", "busybox", "sh", "-ec", script])
