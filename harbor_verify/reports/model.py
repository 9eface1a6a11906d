"""What a run of the suite found: the one model that every renderer draws from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """pass: it holds. fail: Harbor is wrong. error: the suite could not find out. skip: not tried; says why."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True)
class Offender:
    """One thing that is not as it should be."""

    object: str
    expected: str
    observed: str


@dataclass(frozen=True)
class CheckResult:
    """What one check found. `message` says what `offenders` do not: why an error, why a skip."""

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
    evidence: tuple[str, ...] = ()
    """Files that show more, relative to the run's folder."""


@dataclass(frozen=True)
class AreaSummary:
    """How many checks of an area came to which verdict."""

    area: str
    counts: dict[Verdict, int]
    duration_s: float

    @property
    def verdict(self) -> Verdict:
        """The gravest of its verdicts; skip only when nothing else was tried."""
        for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.PASS):
            if self.counts[verdict]:
                return verdict
        return Verdict.SKIP


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
    not_applicable: dict[str, str] = field(default_factory=dict)
    """Checks that are about what this Harbor has not, by id, with the reason; they are not among `selected`."""
    left_behind: list[str] = field(default_factory=list)
    """What the run made and could not remove."""
    environment: dict[str, Any] = field(default_factory=dict)
    """What was verified, for comparing runs: reports/environment.py says which keys; none has to be there."""
    notes: list[str] = field(default_factory=list)
    """What went wrong with the report itself; it changes no verdict."""
    finished: datetime | None = None
    exit_code: int | None = None

    @property
    def duration_s(self) -> float:
        return (self.finished - self.started).total_seconds() if self.finished else 0.0

    @property
    def not_run(self) -> list[str]:
        """Checks that were asked for and have no result: the run was interrupted, or stopped at a failure."""
        done = {result.id for result in self.results}
        return [id for id in self.selected if id not in done]

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict == verdict for result in self.results)

    def areas(self) -> list[AreaSummary]:
        """A summary an area, in the order of running."""
        names = list(dict.fromkeys(result.area for result in self.results))
        return [_summarise(name, [r for r in self.results if r.area == name]) for name in names]


def _summarise(area: str, results: Sequence[CheckResult]) -> AreaSummary:
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in Verdict}
    return AreaSummary(area, counts, sum(result.duration_s for result in results))
