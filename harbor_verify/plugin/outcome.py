"""From what pytest saw to the verdict of a check, and into the run model."""

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from harbor_verify import clock
from harbor_verify.checks import SHOULD, Check, check_of
from harbor_verify.errors import HarnessError, HealFailed, NeedMissing, NotApplicable
from harbor_verify.findings import Findings
from harbor_verify.plugin.evidence import collect, files_of
from harbor_verify.plugin.run import KEY, State
from harbor_verify.redaction import Redaction
from harbor_verify.reports import runs
from harbor_verify.reports.model import Category, CheckResult, Offender, Verdict
from harbor_verify.reports.runs import Looks
from harbor_verify.verdict import Failure

_DAYS_BACK = 30


@dataclass
class Outcome:
    """What is known about a check while it runs. `verdict` is None until something decided it."""

    check: Check
    hint: str = ""
    """The check's, in this Harbor's own words."""
    findings: Findings = field(default_factory=Findings)
    started: datetime = field(default_factory=clock.now)
    began_s: float = field(default_factory=time.monotonic)
    verdict: Verdict | None = None
    offenders: tuple[Offender, ...] = ()
    messages: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    listed: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    evidence: list[str] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    collected: bool = False
    """Whether there is evidence already of why it did not pass."""

    @property
    def category(self) -> Category:
        """As reports count it, as far as it is known by now."""
        if self.verdict is Verdict.FAIL and self.check.severity is SHOULD:
            return Category.ADVICE
        return Category((self.verdict or Verdict.PASS).value)

    @property
    def text(self) -> str:
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
                Offender(clean(o.object), clean(o.expected), clean(o.observed), o.uids)
                for o in self.offenders
            ),
            message=clean("\n".join(self.messages)),
            measured=redaction.structure(self.measured),
            listed=redaction.structure(dict(self.listed)),
            evidence=tuple(dict.fromkeys([*self.evidence, *files])),
            severity=self.check.severity,
            builds_on=self.check.builds_on,
            flaws=tuple(map(clean, self.flaws)),
        )


OUTCOME = pytest.StashKey[Outcome]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if check := check_of(item):
        hint = item.config.stash[KEY].words.fill(check.hint)
        item.stash[OUTCOME] = Outcome(check, hint)
        item.user_properties += [("check", check.id), ("hint", hint)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """At its end a check with findings is judged by them."""
    yield
    if OUTCOME in item.stash and "findings" in getattr(item, "fixturenames", ()):
        item.stash[OUTCOME].findings.settle()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcome = item.stash.get(OUTCOME, None)
    if outcome is None:
        return report
    state = item.config.stash[KEY]
    if call.excinfo is not None:
        _take_in(outcome, call, strict_skips=state.settings.strict_skips)
        _collect(state, outcome, call.excinfo.value)
    elif report.when == "call":
        outcome.verdict = Verdict.PASS
    report.category = outcome.category.value  # type: ignore[attr-defined]  # for progress.py
    if report.failed and not _counts(outcome.category, state):
        # To pytest it is a skip: neither the exit code nor -x is about it.
        line = item.location[1] or 0
        report.outcome, report.longrepr = "skipped", (str(item.path), line + 1, outcome.text)
    if report.failed:
        # What pytest and its plugins themselves write of it.
        _redact(report, state.redaction)
    if report.when == "teardown":
        result = outcome.result(state.redaction, files_of(state.folder, outcome.check))
        report.check_result = result  # type: ignore[attr-defined]  # for progress.py
        state.report.results.append(result)
    return report


@pytest.fixture
def findings(request: pytest.FixtureRequest) -> Findings:
    """Where a check puts what it finds; its verdict is drawn from that when it ends."""
    return request.node.stash[OUTCOME].findings


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Figures that a check wants in the report, by a name with its unit: measured["outage_ms"] = 340."""
    return request.node.stash[OUTCOME].measured


@pytest.fixture
def listed(request: pytest.FixtureRequest) -> dict[str, list[dict[str, Any]]]:
    """Rows that the report draws: listed["ends"].append({…}); `harbor_verify/reports/ahead.py` says which it knows."""
    return request.node.stash[OUTCOME].listed


@pytest.fixture
def harbors_own(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`harbors_own(flaw)`: what was met is so with every Harbor of this generation, however it is deployed.

    It is told apart in reports and changes no verdict: an operator cannot mend it, and is to know it.
    """
    return request.node.stash[OUTCOME].flaws.append


@pytest.fixture
def measured_before(request: pytest.FixtureRequest, run_state: State) -> Callable[[], Looks]:
    """What earlier runs of the same Harbor, kept beside this one, measured in this check; read when it is called."""
    check = request.node.stash[OUTCOME].check

    return lambda: runs.measured_earlier(run_state.report, run_state.folder, check.id, days=_DAYS_BACK)


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> list[str]:
    """Files of the run's folder that show more about this check, by name; those in `check_folder` need not be told."""
    return request.node.stash[OUTCOME].evidence


def _counts(category: Category, state: State) -> bool:
    """Whether the run as a whole fails by a check of this category."""
    return category in (Category.FAIL, Category.ERROR) or (
        category is Category.ADVICE and state.settings.strict_advice
    )


def _take_in(outcome: Outcome, call: pytest.CallInfo[None], *, strict_skips: bool) -> None:
    error = call.excinfo.value if call.excinfo else None
    assert error is not None
    if isinstance(error, Failure):
        # From a fixture, too: it is Harbor that a Failure is about.
        outcome.verdict = Verdict.FAIL
        before = outcome.findings.offenders if call.when == "call" else ()
        outcome.offenders += tuple(dict.fromkeys([*before, *error.offenders]))
    elif isinstance(error, AssertionError) and call.when == "call":
        outcome.verdict = Verdict.FAIL
        outcome.messages.append(str(error))
    else:
        _take_in_what_kept_from_judging(outcome, error, call.when, strict_skips=strict_skips)
    outcome.messages += getattr(error, "__notes__", [])


def _take_in_what_kept_from_judging(
    outcome: Outcome, error: BaseException, when: str, *, strict_skips: bool
) -> None:
    if when == "call" and outcome.findings.offenders:
        # What the check had found before it ended still stands.
        outcome.verdict = Verdict.FAIL
        outcome.offenders += tuple(outcome.findings.offenders)
    message = _explain(error, when)
    # Advice that is not followed must not hide that something could not be undone.
    if outcome.verdict is not Verdict.FAIL or (when == "teardown" and outcome.category is Category.ADVICE):
        outcome.verdict = Verdict.ERROR
        if isinstance(error, NotApplicable):
            outcome.verdict, message = Verdict.NOT_APPLICABLE, str(error)
        elif (
            isinstance(error, NeedMissing | pytest.skip.Exception) and not strict_skips and when != "teardown"
        ):
            outcome.verdict, message = Verdict.BLOCKED, str(error)
    outcome.messages.append(message)


def _collect(state: State, outcome: Outcome, error: BaseException) -> None:
    """Collect evidence, once, and while things are as they were: before the fixtures are torn down."""
    if outcome.collected or outcome.verdict not in (Verdict.FAIL, Verdict.ERROR):
        return
    if isinstance(error, NeedMissing | HealFailed):
        # Nothing was tried, so there is nothing to see in the cluster.
        return
    outcome.collected = True
    began_s = time.monotonic()
    uids = [uid for offender in outcome.offenders for uid in offender.uids]
    outcome.messages += collect(state, outcome.check, about=outcome.text, uids=uids, since=outcome.started)
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
