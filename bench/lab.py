"""The lab: how long it takes to stand up and how much memory it needs."""

import time
import urllib.request
from pathlib import Path

from bench.figures import Figure
from lab import cluster, profiles, settings
from lab.machines import cgroups


def measure(rounds: int) -> list[Figure]:
    """Take the lab down and stand it up with every Harbor `rounds` times, from the cache; leaves it up.

    The time ends when each Harbor answers on its NodePort.
    """
    cluster.prepare()
    up_s, down_s, memory_gib = [], [], []
    for _ in range(rounds):
        begun = time.monotonic()
        cluster.down()
        taken_down = time.monotonic()
        cluster.up(profiles.EVERY)
        for profile in profiles.ALL.values():
            with urllib.request.urlopen(f"{profile.url}/", timeout=30) as answer:
                answer.read()
        up_s.append(time.monotonic() - taken_down)
        down_s.append(taken_down - begun)
        memory_gib.append(resident_bytes() / 2**30)
    return [
        Figure("lab: up with every Harbor, from the cache, until they answer", "s", up_s, limit=60),
        Figure("lab: down", "s", down_s),
        Figure("lab: memory of all its processes", "GiB", memory_gib, limit=6),
        Figure("lab: disk below its state folder", "GiB", [_disk_bytes(settings.STATE) / 2**30]),
    ]


def resident_bytes() -> int:
    """The lab's proportional set size: each shared page counted once, whoever shares it."""
    total = 0
    for pid in cgroups.processes():
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we counted
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return total


def _disk_bytes(folder: Path) -> int:
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*") if not file.is_symlink())
