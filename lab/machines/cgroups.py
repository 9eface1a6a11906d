"""The lab's control groups: whatever the lab starts is inside them, so whatever is inside them is the lab's.

Processes are found and ended by group and never by name or by a remembered number, so a lab of which any part
was killed can still be taken down whole. Both layouts are known: version 1 (one tree a controller, the lab's
daemons are tracked in the `pids` tree) and version 2 (one tree).
"""

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from lab.waiting import NotYet, wait_until

MOUNT = Path("/sys/fs/cgroup")
ROOT = "harbor-lab"
_PERIOD_US = 100_000
_MIB = 1 << 20
_LEFT_OF_FILES = 20


def unified() -> bool:
    """Whether this machine has only the version 2 tree."""
    return (MOUNT / "cgroup.controllers").exists()


def trees() -> list[Path]:
    """The mounted trees: one for version 2; one a controller for version 1, and beside them one that has none."""
    if unified():
        return [MOUNT]
    return sorted(tree for tree in MOUNT.iterdir() if tree.is_dir() and not tree.is_symlink())


def tracking_tree() -> Path:
    """The tree by which the lab finds its processes again."""
    return MOUNT if unified() else MOUNT / "pids"


def daemons_group(machine: str) -> Path:
    """The group that a machine's daemons run in."""
    return tracking_tree() / ROOT / machine / "daemons"


def create(machine: str) -> None:
    """Create the groups of one machine in every tree, for its daemons and for a kubelet to put pods below."""
    for tree in trees():
        for group in (tree / ROOT, tree / ROOT / machine):
            group.mkdir(exist_ok=True)
            _hand_down(group)
    daemons_group(machine).mkdir(exist_ok=True)


def _hand_down(group: Path) -> None:
    # A new version 1 cpuset is empty and takes no process until it is given processors and memory nodes;
    # a new version 2 group has no controllers until its parent hands them down.
    for name in ("cpuset.cpus", "cpuset.mems"):
        own = group / name
        if not unified() and own.exists() and not own.read_text().strip():
            own.write_text((group.parent / name).read_text())
    if unified():
        controllers = (group.parent / "cgroup.controllers").read_text().split()
        (group.parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))


def _groups(machine: str | None) -> Iterator[Path]:
    for tree in trees():
        top = tree / ROOT / machine if machine else tree / ROOT
        for folder, _, _ in os.walk(top, topdown=False):
            yield Path(folder)


def processes(machine: str | None = None) -> set[int]:
    """The process numbers inside the groups of one machine, or of the whole lab."""
    pids: set[int] = set()
    for group in _groups(machine):
        try:
            pids.update(int(line) for line in (group / "cgroup.procs").read_text().split())
        except FileNotFoundError:
            continue  # the group went while we looked
    return pids


def limit_cpu(machine: str, percent: int | None) -> None:
    """Let the pods of a machine have no more than that of one processor, together; None: as much as there is."""
    quota = -1 if percent is None else percent * _PERIOD_US // 100
    group = _cpu_tree() / ROOT / machine
    try:
        if unified():
            (group / "cpu.max").write_text(f"{'max' if quota < 0 else quota} {_PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
    except FileNotFoundError:
        return  # its machine is gone, and the limit with it


def throttled(machine: str) -> int:
    """In how many periods its pods had had their share, and were kept from running."""
    counters = (_cpu_tree() / ROOT / machine / "cpu.stat").read_text().split()
    return int(dict(zip(counters[::2], counters[1::2], strict=True))["nr_throttled"])


def exhaust_memory(machine: str) -> None:
    """Let the pods of a machine have what their programs hold, and next to nothing for what they read from files.

    Raises OSError when the kernel cannot take that much from them.
    """
    group = _memory_group(machine)
    counters = (group / "memory.stat").read_text().split()
    held = dict(zip(counters[::2], map(int, counters[1::2]), strict=True))
    files = held["file"] - held["shmem"] if unified() else held["total_cache"] - held["total_shmem"]
    used = int((group / ("memory.current" if unified() else "memory.usage_in_bytes")).read_text())
    left = files // _LEFT_OF_FILES
    while True:
        try:
            (group / _memory_limit()).write_text(str(used - files + left))
        except OSError as busy:
            if busy.errno != errno.EBUSY or left > files:
                raise
            left += _MIB
        else:
            return


def give_memory(machine: str) -> None:
    """As much as there is. Harmless where nothing is limited."""
    try:
        (_memory_group(machine) / _memory_limit()).write_text("max" if unified() else "-1")
    except FileNotFoundError:
        return  # its machine is gone, and the limit with it


def refused_memory(machine: str) -> int:
    """How often its pods have asked for more than they may have."""
    group = _memory_group(machine)
    if not unified():
        return int((group / "memory.failcnt").read_text())
    counters = (group / "memory.events").read_text().split()
    return int(dict(zip(counters[::2], counters[1::2], strict=True))["max"])


def _memory_group(machine: str) -> Path:
    return (MOUNT if unified() else MOUNT / "memory") / ROOT / machine


def _memory_limit() -> str:
    return "memory.max" if unified() else "memory.limit_in_bytes"


def _cpu_tree() -> Path:
    return MOUNT if unified() else MOUNT / "cpu"


def kill(machine: str | None = None, *, deadline_s: float = 30) -> None:
    """End every process of one machine, or of the whole lab, and remove the groups.

    Frozen or paused processes are ended too: SIGKILL needs no cooperation.
    Raises NotReady when something is still there after `deadline_s` seconds.
    """

    def none_left() -> None:
        left = processes(machine)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if left:
            raise NotYet(f"{len(left)} processes: {sorted(left)[:20]}")
        for group in _groups(machine):
            group.rmdir()

    wait_until("the lab's processes have ended", none_left, deadline_s=deadline_s, interval_s=0.05)
