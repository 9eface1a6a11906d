"""Layouts: the ways in which people deploy one generation of Harbor, to see that the suite judges each of them right.

There is a folder for each profile. Each module in it is one layout and is found by itself. It holds `LAYOUT`; its file
name, with dashes, is the layout's name. A layout is a change of the rendered manifests, and what it needs beside
Harbor: a store, a proxy. `reference` is `deploy/` as it is. A defect can be planted in any of them.
"""

import importlib
import pkgutil
from pathlib import Path

from lab.deployment import rollout
from lab.deployment.manifests.objects import Object
from lab.errors import UnknownLayout, unknown
from lab.given import programs
from lab.layouts import given
from lab.layouts.layout import Layout
from lab.profiles import Profile

__all__ = ["GIVEN", "REFERENCE", "Layout", "choose", "chosen", "every", "find", "give", "of", "with_change"]

REFERENCE = "reference"
GIVEN = "given"
"""Manifests that somebody gave (`lab.layouts.given`)."""


def every(profile: Profile) -> dict[str, Layout]:
    """All layouts of a profile by name: the reference first, the others in alphabetical order."""
    folder = Path(__file__).parent / profile.package
    modules = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {REFERENCE: Layout(about="as the manifests of deploy/ say")} | {
        name.replace("_", "-"): importlib.import_module(f"{__name__}.{profile.package}.{name}").LAYOUT
        for name in modules
    }


def find(profile: Profile, name: str) -> Layout:
    """The layout of that name; raises UnknownLayout with all names and the nearest."""
    if name == GIVEN:
        return given.layout(profile)
    known = every(profile)
    if name in known:
        return known[name]
    raise UnknownLayout(unknown(f"layout {name} of {profile.name}", name, known))


def chosen(profile: Profile) -> str:
    """The name of the layout that this Harbor of the lab has, or is about to have."""
    note = _note(profile)
    return note.read_text() if note.exists() else REFERENCE


def choose(profile: Profile, name: str) -> None:
    """Let the next deployment have this layout; raises UnknownLayout."""
    find(profile, name)
    profile.folder.mkdir(parents=True, exist_ok=True)
    _note(profile).write_text(name)


def give(profile: Profile, manifests: Path) -> None:
    """Let the next deployment be made of these manifests; raises LabError where the lab cannot carry them."""
    given.keep(profile, manifests)
    choose(profile, GIVEN)


def of(profile: Profile) -> Layout:
    """The layout that this Harbor of the lab has, or is about to have."""
    return find(profile, chosen(profile))


def with_change(profile: Profile, change: rollout.Change | None) -> rollout.Change | None:
    """The change that makes the chosen layout and puts in the programs that were given, and then this one."""
    if chosen(profile) == REFERENCE and not programs.given(profile):
        return change
    layout = of(profile)

    def all_changes(objects: list[Object]) -> None:
        layout.change(objects)
        programs.change(profile, objects)
        if change:
            change(objects)

    return all_changes


def _note(profile: Profile) -> Path:
    return profile.folder / "layout"
