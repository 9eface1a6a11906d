"""Defects: known misconfigurations of Harbor, planted in the lab to prove that a check can fail.

There is a folder for each profile. Each module in it is one defect and is found by itself. It holds `DEFECT`; its file
name, with dashes, is the defect's name. A defect is a change of the rendered manifests, or of what lies outside
Kubernetes, or of both: it is planted by deploying with that change and healed by deploying without it. One at a time in
each Harbor: with two nobody could say which check shows which.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab import layouts
from lab.deployment import registry_cache, rollout
from lab.deployment.manifests.objects import Object
from lab.errors import AlreadyPlanted, UnknownDefect, WrongLayout, unknown
from lab.profiles import Profile

# Nothing is worth waiting for in a pod that is to go; what is lost with it comes back with the next one.
_GRACE_S = 1
_DEADLINE_S = 180


class Lab(Protocol):
    """A Harbor in a lab that is up, as planting needs it."""

    @property
    def profile(self) -> Profile: ...

    @property
    def kubectl(self) -> rollout.Kubectl: ...

    @property
    def deployment_settings(self) -> rollout.DeploymentSettings: ...

    def sql(self, statements: str) -> None:
        """Run statements in its database, as the database's administrator."""


@dataclass(frozen=True)
class Defect:
    """What is wrong, where it was reported, and which checks must show it: exactly those, no others."""

    report: str
    """Where it was seen: h# is an issue of goharbor/harbor, hh# one of goharbor/harbor-helm."""
    shows: str
    """How it shows from outside, in one line."""
    turns_red: frozenset[str]
    """Ids of checks: all of those that break nothing, and of the others enough to show it."""
    layout: str | None = None
    """The only layout that it can be planted in; None: any."""
    change: Callable[[list[Object]], None] = lambda objects: None
    """Puts the mistake into the rendered manifests."""
    plant_outside: Callable[[Lab], None] = lambda lab: None
    """Puts the mistake into what lies outside Kubernetes; doing it twice is harmless."""
    heal_outside: Callable[[Lab], None] = lambda lab: None
    """Takes that away again, also when it was only half there."""
    causes: frozenset[str] = frozenset()
    """Those of `turns_red` that are shown as causes, the others being consequences of them; empty: all."""
    not_applicable: frozenset[str] = frozenset()
    """Ids of checks that find nothing to be about with it: of one replica there is no other to ask."""
    unready: frozenset[str] = frozenset()
    """The workloads whose pods never become Ready with it."""


def every(profile: Profile) -> dict[str, Defect]:
    """All defects of a profile by name, in alphabetical order."""
    package = importlib.import_module(f"{__name__}.{profile.package}")
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {
        name.replace("_", "-"): importlib.import_module(f"{package.__name__}.{name}").DEFECT
        for name in modules
    }


def find(profile: Profile, name: str) -> Defect:
    """The defect of that name; raises UnknownDefect with all names and the nearest."""
    known = every(profile)
    if name in known:
        return known[name]
    raise UnknownDefect(unknown(f"defect {name} of {profile.name}", name, known))


def planted(profile: Profile) -> str | None:
    """The name of the defect that is in this Harbor, also of one that was only half planted or half healed."""
    note = _note(profile)
    return note.read_text() if note.exists() else None


def plant(lab: Lab, name: str, *, instead: bool = False) -> None:
    """Put a defect into a Harbor and wait until it has settled with it; planting it twice is harmless.

    `instead`: of another that may be there, which is healed in the same go. Raises UnknownDefect, WrongLayout when it
    is about another layout, AlreadyPlanted when another is there that is not to be replaced, NotReady and CommandFailed
    from the deployment.
    """
    defect = find(lab.profile, name)
    if defect.layout not in (None, layouts.chosen(lab.profile)):
        raise WrongLayout(
            f"{name} is about layout {defect.layout}, and this is {layouts.chosen(lab.profile)}; "
            f"`python -m lab up --layout {defect.layout}` changes that, with nothing planted"
        )
    present = planted(lab.profile)
    if present not in (None, name) and not instead:
        raise AlreadyPlanted(f"{present} is planted; heal it first, so that each red check has one cause")
    if present:  # it may keep pods from starting, which are to be there first
        find(lab.profile, present).heal_outside(lab)
    lab.profile.folder.mkdir(parents=True, exist_ok=True)
    _note(lab.profile).write_text(name)
    _deploy(lab, change=defect.change, unready=defect.unready)
    defect.plant_outside(lab)


def heal(lab: Lab) -> str | None:
    """Deploy Harbor as it should be, wait until it is ready, and return the name of the defect that was there.

    Mends what was changed by hand in the cluster, too. Raises NotReady and CommandFailed from the deployment.
    """
    present = planted(lab.profile)
    if present:
        find(lab.profile, present).heal_outside(lab)
    _deploy(lab)
    _note(lab.profile).unlink(missing_ok=True)
    return present


def _deploy(lab: Lab, *, change: rollout.Change | None = None, unready: frozenset[str] = frozenset()) -> None:
    rollout.deploy(
        lab.kubectl,
        lab.profile,
        lab.deployment_settings,
        change=layouts.with_change(lab.profile, change),
        unready=unready,
        timeout_s=_DEADLINE_S,
        grace_s=_GRACE_S,
    )
    registry_cache.follow(lab.profile)


def _note(profile: Profile) -> Path:
    return profile.folder / "planted"
