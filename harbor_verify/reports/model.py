"""What a run of the suite found: the one model that every renderer draws from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a check comes to.

    pass: it holds. fail: Harbor is wrong. error: the suite could not find out. blocked: not tried, because something is
    missing where the suite runs (a right, docker, a way to the database). not applicable: this deployment has nothing
    that the check could be about.
    """

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not applicable"


class Severity(StrEnum):
    """must: without it Harbor is not highly available. should: advice."""

    MUST = "must"
    SHOULD = "should"


class Category(StrEnum):
    """How results are counted and shown: as their verdicts, and the failure of what only should be is advice."""

    PASS = "pass"
    FAIL = "fail"
    ADVICE = "advice"
    ERROR = "error"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Offender:
    """One thing that is not as it should be."""

    object: str
    """What an operator would look at: `kind namespace/name`."""
    expected: str
    observed: str
    uids: tuple[str, ...] = ()
    """UIDs of the pods that it is about, where their names in a history may by now be those of others."""

    def __str__(self) -> str:
        return f"{self.object}\n  expected: {self.expected}\n  observed: {self.observed}"


@dataclass(frozen=True)
class CheckResult:
    """What one check found. `message` says what `offenders` do not: why an error, why it was blocked."""

    id: str
    area: str
    claim: str
    hint: str
    source: str
    verdict: Verdict
    started: datetime
    duration_s: float
    offenders: tuple[Offender, ...] = ()
    message: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    """Figures by name, each with its unit in the name: outage_ms."""
    listed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What the report draws, by subject, a row each: volumes, ends, schedules (`reports/ahead.py` says what is in a
    row)."""
    evidence: tuple[str, ...] = ()
    """Files that show more, relative to the run's folder."""
    severity: Severity = Severity.MUST
    builds_on: tuple[str, ...] = ()
    """Ids of the checks whose failure explains this one's."""
    flaws: tuple[str, ...] = ()
    """What was met that is so with every Harbor of this generation: its own flaws, which change no verdict."""

    @property
    def category(self) -> Category:
        if self.verdict is Verdict.FAIL and self.severity is Severity.SHOULD:
            return Category.ADVICE
        return Category(self.verdict.value)


@dataclass(frozen=True)
class AreaSummary:
    """How many checks of an area there are of each category."""

    area: str
    counts: dict[Category, int]
    duration_s: float

    @property
    def category(self) -> Category:
        """The gravest of all; blocked or not applicable only when nothing else was tried."""
        order = (Category.FAIL, Category.ERROR, Category.ADVICE, Category.PASS, Category.BLOCKED)
        return next((category for category in order if self.counts[category]), Category.NOT_APPLICABLE)


@dataclass
class Run:
    """One run. Times are UTC. `target` is a list of lines that says what was verified."""

    id: str
    started: datetime
    provider: str
    url: str
    namespace: str
    profile: str
    target: list[str]
    selected: list[str] = field(default_factory=list)
    """Ids of the checks that were asked for, in the order of running."""
    results: list[CheckResult] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    """What the run made and could not remove."""
    environment: dict[str, Any] = field(default_factory=dict)
    """What was verified, for comparing runs: reports/environment.py says which keys; none has to be there."""
    notes: list[str] = field(default_factory=list)
    """What went wrong with the report itself; it changes no verdict."""
    stopped: str = ""
    """Why the run ended before its end, as a sentence; empty: it did not."""
    strict: bool = False
    """Whether advice that is not followed makes the exit code 1."""
    finished: datetime | None = None
    exit_code: int | None = None

    @property
    def duration_s(self) -> float:
        return (self.finished - self.started).total_seconds() if self.finished else 0.0

    @property
    def flaws(self) -> list[str]:
        """Harbor's own, that the checks met: each with the check's id."""
        return [f"{flaw} ({result.id})" for result in self.results for flaw in result.flaws]

    @property
    def not_run(self) -> list[str]:
        """Checks that were asked for and have no result: the run was interrupted, or stopped at a failure."""
        done = {result.id for result in self.results}
        return [id for id in self.selected if id not in done]

    def of(self, category: Category) -> list[CheckResult]:
        return [result for result in self.results if result.category is category]

    def result(self, id: str) -> CheckResult:
        """The result of a check. Raises KeyError."""
        return {result.id: result for result in self.results}[id]

    def count(self, category: Category) -> int:
        return len(self.of(category))

    def areas(self) -> list[AreaSummary]:
        """A summary an area, in the order of running."""
        # What is not applicable is known before anything runs.
        tried = sorted(self.results, key=lambda result: result.verdict is Verdict.NOT_APPLICABLE)
        names = list(dict.fromkeys(result.area for result in tried))
        return [_summarise(name, [r for r in self.results if r.area == name]) for name in names]


def _summarise(area: str, results: Sequence[CheckResult]) -> AreaSummary:
    counts = {category: sum(result.category is category for result in results) for category in Category}
    return AreaSummary(area, counts, sum(result.duration_s for result in results))
