"""What is different between two runs: verdicts, figures, and what was verified."""

from dataclasses import dataclass
from typing import Any

from harbor_verify.reports import environment, figures
from harbor_verify.reports.model import Category, Run
from harbor_verify.reports.runs import same_target

_GRAVITY = {Category.PASS: 0, Category.ADVICE: 1, Category.ERROR: 2, Category.FAIL: 3}
_ORDER = ("worse", "better", "changed", "steady")


@dataclass(frozen=True)
class VerdictChange:
    """A check that came to another verdict, or that only one of the runs has (the other's verdict is None)."""

    id: str
    before: Category | None
    after: Category | None

    @property
    def tendency(self) -> str:
        if self.before not in _GRAVITY or self.after not in _GRAVITY:
            # What was not tried is neither better nor worse.
            return "changed"
        return "worse" if _GRAVITY[self.after] > _GRAVITY[self.before] else "better"


@dataclass(frozen=True)
class FigureChange:
    """A figure that both runs measured. `tendency`: worse, better, changed, or steady (within the usual noise)."""

    check: str
    name: str
    before: Any
    after: Any

    @property
    def tendency(self) -> str:
        return figures.tendency(self.name, self.before, self.after)

    @property
    def percent(self) -> float | None:
        """By how much it changed; None where that cannot be said."""
        numbers = all(
            isinstance(value, int | float) and not isinstance(value, bool)
            for value in (self.before, self.after)
        )
        return (self.after - self.before) / abs(self.before) * 100 if numbers and self.before else None


@dataclass(frozen=True)
class FactChange:
    """Something about what was verified: a version, an image, replicas. None: not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Comparison:
    """Everything that is different; `figures` has the steady ones, too."""

    before: Run
    after: Run
    verdicts: tuple[VerdictChange, ...]
    figures: tuple[FigureChange, ...]
    facts: tuple[FactChange, ...]

    @property
    def same_target(self) -> bool:
        return same_target(self.before, self.after)

    @property
    def judged(self) -> list[VerdictChange]:
        """Checks that both runs have, with another verdict; what got worse first."""
        both = [each for each in self.verdicts if each.before is not None and each.after is not None]
        return sorted(both, key=lambda each: _ORDER.index(each.tendency))

    @property
    def only_before(self) -> list[VerdictChange]:
        return [each for each in self.verdicts if each.after is None]

    @property
    def only_after(self) -> list[VerdictChange]:
        return [each for each in self.verdicts if each.before is None]

    @property
    def moved(self) -> list[FigureChange]:
        """Figures that changed by more than the usual noise; what got worse first."""
        moved = [each for each in self.figures if each.tendency != "steady"]
        return sorted(moved, key=lambda each: _ORDER.index(each.tendency))

    @property
    def steady_count(self) -> int:
        return len(self.figures) - len(self.moved)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.verdicts or self.moved or self.facts)


def compare(before: Run, after: Run) -> Comparison:
    """The differences of two runs, in the order of the later one's checks."""
    old = {result.id: result for result in before.results}
    new = {result.id: result for result in after.results}
    ids = list(dict.fromkeys([*new, *old]))
    verdicts = [
        VerdictChange(id, old[id].category if id in old else None, new[id].category if id in new else None)
        for id in ids
        if id not in old or id not in new or old[id].category != new[id].category
    ]
    measured = [
        FigureChange(id, name, old[id].measured[name], value)
        for id in ids
        if id in old and id in new
        for name, value in new[id].measured.items()
        if name in old[id].measured and figures.comparable(name)
    ]
    return Comparison(before, after, tuple(verdicts), tuple(measured), tuple(_facts(before, after)))


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison for other programs."""
    return {
        "before": comparison.before.id,
        "after": comparison.after.id,
        "same_target": comparison.same_target,
        "verdicts": [
            {"id": each.id, "before": each.before, "after": each.after, "tendency": each.tendency}
            for each in comparison.verdicts
        ],
        "figures": [
            {
                "check": each.check,
                "name": each.name,
                "before": each.before,
                "after": each.after,
                "tendency": each.tendency,
            }
            for each in comparison.figures
        ],
        "facts": [
            {"name": each.name, "before": each.before, "after": each.after} for each in comparison.facts
        ],
    }


def _facts(before: Run, after: Run) -> list[FactChange]:
    if before.environment and after.environment:
        old, new = environment.facts(before.environment), environment.facts(after.environment)
    else:
        # Runs of before there was an environment say what they found in lines only.
        old, new = _lines(before), _lines(after)
    return [
        FactChange(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    ]


def _lines(run: Run) -> environment.Facts:
    lines: environment.Facts = {}
    for line in run.target[1:]:
        name, _, what = line.strip().partition(": ")
        if name == "volume":
            volume, _, what = what.partition(", ")
            name = f"volume {volume}"
        if what:
            lines[name] = what
    return lines
