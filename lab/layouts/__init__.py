"""Layouts: the ways in which people deploy one generation of Harbor, to see that the suite judges each of them right.

There is a folder for each profile. Each module in it is one layout and is found by itself. It holds `LAYOUT`; its file
name, with dashes, is the layout's name. A layout is a change of the rendered manifests, and what it needs beside
Harbor: a store, a proxy. `reference` is `deploy/` as it is. A defect can be planted in any of them.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.deployment import rollout
from lab.deployment.manifests.objects import Object
from lab.errors import UnknownLayout
from lab.profiles import Profile

REFERENCE = "reference"


@dataclass(frozen=True)
class Layout:
    """What is other than in `deploy/`, and what the suite must say of it: exactly that."""

    about: str
    """How it is deployed, in one line."""
    change: rollout.Change = lambda objects: None
    """Makes it of the rendered manifests."""
    ensure: Callable[[], object] = lambda: None
    """Starts, or mends, what it needs beside Harbor; called before Harbor is deployed, with the cluster up."""
    complete: Callable[[], object] = lambda: None
    """Starts, or mends, what needs Harbor's own objects: whoever leads clients to them; called after that."""
    url: str | None = None
    """The front door, as clients use it; None: the profile's."""
    settings: Callable[[], dict[str, object]] = dict
    """What the suite has to be told of it, by the names of its settings: certificates to trust, a release."""
    not_applicable: frozenset[str] = frozenset()
    """Ids of checks that find nothing here to be about."""
    applicable: frozenset[str] = frozenset()
    """Ids of checks that the reference has nothing for, and this layout has."""
    turns_red: frozenset[str] = frozenset()
    """Ids of checks that must be red: this layout is not highly available."""


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
    known = every(profile)
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    raise UnknownLayout(f"there is no layout {name} of {profile.name}.{hint} There are: {', '.join(known)}")


def chosen(profile: Profile) -> str:
    """The name of the layout that this Harbor of the lab has, or is about to have."""
    note = _note(profile)
    return note.read_text() if note.exists() else REFERENCE


def choose(profile: Profile, name: str) -> None:
    """Let the next deployment have this layout; raises UnknownLayout."""
    find(profile, name)
    profile.folder.mkdir(parents=True, exist_ok=True)
    _note(profile).write_text(name)


def of(profile: Profile) -> Layout:
    """The layout that this Harbor of the lab has, or is about to have."""
    return find(profile, chosen(profile))


def with_change(profile: Profile, change: rollout.Change | None) -> rollout.Change | None:
    """The change that makes the chosen layout, and then this one."""
    if chosen(profile) == REFERENCE:
        return change
    layout = of(profile)

    def both(objects: list[Object]) -> None:
        layout.change(objects)
        if change:
            change(objects)

    return both


def _note(profile: Profile) -> Path:
    return profile.folder / "layout"
