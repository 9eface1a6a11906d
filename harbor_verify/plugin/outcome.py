"""From what pytest saw to the verdict of a check, and into the run model."""

import time
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from harbor_verify.checks import Check, check_of
from harbor_verify.errors import HarnessError, NeedMissing
from harbor_verify.plugin.evidence import collect, files_of
from harbor_verify.plugin.needs import NotApplicable
from harbor_verify.plugin.run import KEY, State
from harbor_verify.redaction import Redaction
from harbor_verify.reports.model import CheckResult, Offender, Verdict
from harbor_verify.verdict import Failure


@dataclass
class Outcome:
    """What is known about a check while it runs. `verdict` is None until something decided it."""

    check: Check
    hint: str = ""
    """The check's, in this Harbor's own words."""
    not_applicable: str = ""
    """Why it is about nothing here, where that was found out by the check itself."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    began_s: float = field(default_factory=time.monotonic)
    verdict: Verdict | None = None
    offenders: tuple[Offender, ...] = ()
    messages: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    collected: bool = False
    """Whether there is evidence already of why it did not pass."""

    @property
    def told(self) -> str:
        """All that was said of it, as one text."""
        return "\n".join(
            [*(f"{o.object}\n{o.expected}\n{o.observed}" for o in self.offenders), *self.messages]
        )

    def result(self, redaction: Redaction, files: Sequence[str]) -> CheckResult:
        """The result, without secrets; `files` are those of the check's folder."""
        clean = redaction.text
        return CheckResult(
            id=self.check.id,
            area=self.check.area,
            claim=self.check.claim,
            hint=self.hint,
            source=self.check.source,
            verdict=self.verdict or Verdict.ERROR,
            started=self.started,
            duration_s=time.monotonic() - self.began_s,
            offenders=tuple(
                Offender(clean(o.object), clean(o.expected), clean(o.observed)) for o in self.offenders
            ),
            message=clean("\n".join(self.messages)),
            measured=redaction.structure(self.measured),
            evidence=tuple(dict.fromkeys([*self.evidence, *files])),
        )


OUTCOME = pytest.StashKey[Outcome]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if check := check_of(item):
        hint = item.config.stash[KEY].target.profile.words.fill(check.hint)
        item.stash[OUTCOME] = Outcome(check, hint)
        item.user_properties += [("check", check.id), ("hint", hint)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcome = item.stash.get(OUTCOME, None)
    if outcome is None:
        return report
    report.is_check = True
    state = item.config.stash[KEY]
    if call.excinfo is not None:
        _take_in(outcome, call)
        _collect(state, outcome, call.excinfo.value)
    elif report.when == "call":
        outcome.verdict = Verdict.PASS
    report.is_error = report.failed and outcome.verdict == Verdict.ERROR
    if report.failed:
        # What pytest and its plugins themselves write of it.
        _redact(report, state.redaction)
    report.is_not_applicable = bool(outcome.not_applicable)
    if report.when == "teardown" and outcome.not_applicable and outcome.verdict is Verdict.SKIP:
        state.report.not_applicable[outcome.check.id] = state.redaction.text(outcome.not_applicable)
        state.report.selected.remove(outcome.check.id)
    elif report.when == "teardown":
        report.check_result = outcome.result(state.redaction, files_of(state.folder, outcome.check))
        state.report.results.append(report.check_result)
    return report


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Figures that a check wants in the report, by a name with its unit: measured["outage_ms"] = 340."""
    return request.node.stash[OUTCOME].measured


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> list[str]:
    """Files of the run's folder that show more about this check, by name; those in `check_folder` need not be told."""
    return request.node.stash[OUTCOME].evidence


def _take_in(outcome: Outcome, call: pytest.CallInfo[None]) -> None:
    error = call.excinfo.value
    if isinstance(error, pytest.skip.Exception):
        outcome.verdict = Verdict.SKIP
        outcome.not_applicable = str(error) if isinstance(error, NotApplicable) else ""
        outcome.messages.append(str(error))
    elif isinstance(error, Failure):
        # From a fixture, too: it is Harbor that a Failure is about.
        outcome.verdict = Verdict.FAIL
        outcome.offenders += tuple(Offender(o.object, o.expected, o.observed) for o in error.offenders)
    elif isinstance(error, AssertionError) and call.when == "call":
        outcome.verdict = Verdict.FAIL
        outcome.messages.append(str(error))
    else:
        # What the check had found before still stands.
        outcome.verdict = Verdict.FAIL if outcome.verdict == Verdict.FAIL else Verdict.ERROR
        outcome.messages.append(_explain(error, call.when))
    outcome.messages += getattr(error, "__notes__", [])


def _collect(state: State, outcome: Outcome, error: BaseException) -> None:
    """Collect evidence, once, and while things are as they were: before the fixtures are torn down."""
    if outcome.collected or outcome.verdict not in (Verdict.FAIL, Verdict.ERROR):
        return
    if isinstance(error, NeedMissing):
        # Nothing was tried, so there is nothing to see in the cluster.
        return
    outcome.collected = True
    began_s = time.monotonic()
    outcome.messages += collect(state, outcome.check, about=outcome.told, since=outcome.started)
    # It is not the check that took this time.
    outcome.began_s += time.monotonic() - began_s


def _redact(report: pytest.TestReport, redaction: Redaction) -> None:
    if (text := redaction.text(report.longreprtext)) != report.longreprtext:
        report.longrepr = text
    report.sections = [(title, redaction.text(text)) for title, text in report.sections]


def _explain(error: BaseException, when: str) -> str:
    """An error of the suite's own kind speaks for itself; any other is a bug, and needs its last steps."""
    phase = "" if when == "call" else f"in {when}: "
    if isinstance(error, HarnessError):
        return f"{phase}{type(error).__name__}: {error}"
    steps = "".join(traceback.format_tb(error.__traceback__)[-3:])
    return f"{phase}{type(error).__name__}: {error}\n{steps}".rstrip()
