"""Whether this machine can carry the lab."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from lab import settings
from lab.errors import UnfitMachine

LEAST_MEMORY_GIB = 8
LEAST_DISK_GIB = 20


def require() -> None:
    """Raise UnfitMachine, with everything that is wrong in one message, unless the lab can run here."""
    wrong = list(_reasons())
    if wrong:
        reasons = "\n".join(f"  - {reason}" for reason in wrong)
        raise UnfitMachine(
            f"this machine cannot carry the lab:\n{reasons}\n"
            "To verify a Harbor that you have already, no lab is needed: connect to its cluster with\n"
            "  pytest suites --kubeconfig FILE --namespace NAMESPACE --harbor-url URL     (see README.md)"
        )


def _reasons() -> Iterator[str]:
    if platform.system() != "Linux":
        yield f"it runs {platform.system()}; the lab is made of Linux namespaces"
        return
    if platform.machine() != "x86_64":
        yield f"its processor is {platform.machine()}; the lab has been built for x86_64 only"
    if os.geteuid() != 0:
        yield "you are not root; the lab makes network namespaces and mounts"
    if not shutil.which("apt-get"):
        yield "it has no apt-get; the lab is made of Debian 12's packages"
    memory = _total_memory_gib()
    if memory < LEAST_MEMORY_GIB:
        yield f"it has {memory:.1f} GiB of memory; the lab needs {LEAST_MEMORY_GIB}"
    for folder in (settings.STATE, settings.CACHE):
        free = shutil.disk_usage(_nearest_existing(folder)).free / 2**30
        if free < LEAST_DISK_GIB and not settings.KUBECONFIG.exists():
            yield f"{free:.1f} GiB are free for {folder}; the lab needs {LEAST_DISK_GIB}"


def _total_memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _nearest_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
