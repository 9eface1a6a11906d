"""Defects: known misconfigurations of Harbor, planted in the lab to prove that a check can fail.

There is a folder for each profile. Each module in it is one mistake and is found by itself. It holds `DEFECT`; its file
name, with dashes, is the defect's name. The same mistake can come in other ways, too, each a defect of its own, whose
name says so: `ON_ONE` replica, or `UNREAD` as yet (`lab.defects.edit`). A defect is a change of the rendered manifests,
or of what lies outside Kubernetes, or of both: it is planted by deploying with that change and healed by deploying
without it. Several at a time, `NAME+NAME`, only where no check is red for two of them: else nobody could say which
check shows which (tests/lab/groups.py chooses more narrowly still).
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

from lab import layouts
from lab.deployment import jobs_database, registry_cache, rollout
from lab.deployment.manifests.objects import Object
from lab.errors import AlreadyPlanted, CommandFailed, LabError, UnknownDefect, WrongLayout, unknown
from lab.profiles import Profile

# Nothing is worth waiting for in a pod that is to go; what is lost with it comes back with the next one.
_GRACE_S = 1
_DEADLINE_S = 180
_WAYS = {"DEFECT": "", "ON_ONE": "-on-one-replica", "UNREAD": "-unread"}
"""What a module may hold, and how that is named after it."""
AND = "+"


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
    may_turn_red: frozenset[str] = frozenset()
    """Ids of checks that it depends on chance: which replica answers, which hand takes a request. Never a cause, but
    with `chance_explains`.
    """
    hint_says: tuple[str, ...] = ()
    """Words each of which stands in the hint of one of the causes: what mends it."""
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
    chance_explains: bool = False
    """Whether what is red by chance may be a cause, and explain the others: each of them shows the mistake itself."""
    not_applicable: frozenset[str] = frozenset()
    """Ids of checks that find nothing to be about with it: of one replica there is no other to ask."""
    applicable: frozenset[str] = frozenset()
    """Ids of checks that find something to be about with it, and find it well."""
    unready: frozenset[str] = frozenset()
    """The workloads whose pods never become Ready with it."""
    alone: bool = False
    """Whether it is planted alone, though by its checks it need not be: all of Harbor works otherwise with it, or has
    little left.
    """
    takes: frozenset[str] = frozenset()
    """What it changes outside that no other may change beside it: two that take the same are not planted together."""


def every(profile: Profile) -> dict[str, Defect]:
    """All defects of a profile by name, in alphabetical order."""
    package = importlib.import_module(f"{__name__}.{profile.package}")
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = {
        name.replace("_", "-") + suffix: getattr(module, way)
        for name in modules
        for module in [importlib.import_module(f"{package.__name__}.{name}")]
        for way, suffix in _WAYS.items()
        if hasattr(module, way)
    }
    return dict(sorted(found.items()))


def find(profile: Profile, name: str) -> Defect:
    """The defect of that name, or of several with a + between; raises UnknownDefect with all names and the nearest."""
    known, wanted = every(profile), names(name)
    if known.keys() >= set(wanted):
        return known[name] if len(wanted) == 1 else _together([known[each] for each in wanted])
    raise UnknownDefect(unknown(f"defect {name} of {profile.name}", name, known))


def file_of(profile: Profile, name: str) -> Path:
    """The module of one defect."""
    (folder,) = importlib.import_module(f"{__name__}.{profile.package}").__path__
    files = [Path(folder, f"{name.removesuffix(suffix).replace('-', '_')}.py") for suffix in _WAYS.values()]
    return next(file for file in files if file.exists())


def names(name: str) -> list[str]:
    """Of each defect in a name of one, or of several with a + between."""
    return name.split(AND)


def can_meet(one: Defect, other: Defect) -> bool:
    """Whether both can be planted at once: in the same layout, by different means, and no check is red for both.

    One that goes into any layout may be about a part that all but the reference lack.
    """
    where = {each.layout or layouts.REFERENCE for each in (one, other)}
    apart = one.turns_red & other.turns_red or one.takes & other.takes or one.alone or other.alone
    return len(where) == 1 and not apart


def _together(found: Sequence[Defect]) -> Defect:
    """All of them at once; raises LabError where two cannot be."""
    for one, other in combinations(found, 2):
        if not can_meet(one, other):
            raise LabError(
                "each of several defects has to be about the same layout, by other means, and other checks"
            )

    def change(objects: list[Object]) -> None:
        for each in found:
            each.change(objects)

    def plant_outside(lab: Lab) -> None:
        for each in found:
            each.plant_outside(lab)

    def heal_outside(lab: Lab) -> None:
        for each in reversed(found):
            each.heal_outside(lab)

    def union(of: Callable[[Defect], frozenset[str]]) -> frozenset[str]:
        return frozenset().union(*map(of, found))

    return Defect(
        report="; ".join(each.report for each in found),
        shows="; ".join(each.shows for each in found),
        turns_red=union(lambda each: each.turns_red),
        may_turn_red=union(lambda each: each.may_turn_red),
        hint_says=tuple(words for each in found for words in each.hint_says),
        layout=next((each.layout for each in found if each.layout), None),
        change=change,
        plant_outside=plant_outside,
        heal_outside=heal_outside,
        causes=union(lambda each: each.causes or each.turns_red),
        not_applicable=union(lambda each: each.not_applicable),
        applicable=union(lambda each: each.applicable),
        unready=union(lambda each: each.unready),
        takes=union(lambda each: each.takes),
    )


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
            "`python -m lab heal` takes away what is planted, "
            f"`python -m lab up --layout {defect.layout}` then changes that"
        )
    present = planted(lab.profile)
    if present not in (None, name) and not instead:
        raise AlreadyPlanted(f"{present} is planted; heal it first, so that each red check has one cause")
    heal_outside(lab)  # it may keep pods from starting, which are to be there first
    lab.profile.folder.mkdir(parents=True, exist_ok=True)
    _note(lab.profile).write_text(name)
    _note_of_outside(lab.profile).touch()
    _deploy(lab, change=defect.change, unready=defect.unready)
    layouts.of(lab.profile).complete()
    settle(lab)
    defect.plant_outside(lab)


def heal(lab: Lab) -> str | None:
    """Deploy Harbor as it should be, wait until it is ready, and return the name of the defect that was there.

    Mends what was changed by hand in the cluster, too. Raises NotReady and CommandFailed from the deployment.
    """
    present = heal_outside(lab)
    _deploy(lab)
    settle(lab)
    _note(lab.profile).unlink(missing_ok=True)
    return present


def heal_outside(lab: Lab) -> str | None:
    """Take away what the defect that is there has changed outside Kubernetes, and return its name.

    The rest of it goes with the next deployment. Before another layout is chosen: what that starts waits for all of
    the stores. Doing it again does nothing: that takes as long as the first time.
    """
    present, note = planted(lab.profile), _note_of_outside(lab.profile)
    if present and note.exists():
        find(lab.profile, present).heal_outside(lab)
    note.unlink(missing_ok=True)
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
    jobs_database.follow(lab.kubectl, lab.profile)


def settle(lab: Lab) -> None:
    """Make it like one that is in use, as far as it lets one: what that needs may not run with a defect, or not be
    there in programs that somebody gave.
    """
    if layouts.chosen(lab.profile) != layouts.GIVEN:
        with suppress(CommandFailed):
            lab.profile.settle(lab.kubectl)


def _note(profile: Profile) -> Path:
    return profile.folder / "planted"


def _note_of_outside(profile: Profile) -> Path:
    """Is there while the defect that is there may have changed something outside Kubernetes."""
    return profile.folder / "planted-outside"
