"""Data directories that are dear to make: made once, kept in the cache, and copied from there."""

import hashlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from lab import settings
from lab.command import run


def obtain(name: str, *, package: str, recipe: Path, workshop: Path, make: Callable[[Path], None]) -> Path:
    """The template `name` in the cache; `make(workshop)` makes it first when it is not there.

    It is another template when `package` (a Debian package) has another version or `recipe` (the source file that
    makes it) was changed; older ones are removed. `workshop` is a folder that does not survive; its name is
    extended, since a program of an `up` that was killed may still write into an earlier one.
    """
    installed = run(["dpkg-query", "--show", "--showformat=${Version}", package])
    key = hashlib.sha256(installed.encode() + recipe.read_bytes()).hexdigest()[:16]
    template = settings.CACHE / "templates" / f"{name}-{key}"
    if not template.exists():
        workshop = workshop.with_name(f"{workshop.name}-{uuid.uuid4().hex[:8]}")
        workshop.mkdir(parents=True)
        make(workshop)
        template.parent.mkdir(parents=True, exist_ok=True)
        for older in template.parent.glob(f"{name}-*"):
            remove(older)
        copy(workshop, template)
        remove(workshop)
    return template


def copy(source: Path, target: Path) -> None:
    """Copy a folder, holes as holes; `target` is there whole or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    remove(partial)
    run(
        [
            "cp",
            "--archive",
            "--sparse=always",
            "--reflink=auto",
            "--no-target-directory",
            str(source),
            str(partial),
        ]
    )
    partial.rename(target)


def remove(folder: Path) -> None:
    """Remove a folder, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
