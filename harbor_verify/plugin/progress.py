"""One line a check as it runs, in place of pytest's dots and file names; its failures are told in the summary."""

from collections.abc import Callable

import pytest

from harbor_verify.checks import check_of
from harbor_verify.plugin.terminal import erase_line, shower, teller
from harbor_verify.reports.model import Category, CheckResult

_MARKUP = {
    Category.PASS: {"green": True},
    Category.FAIL: {"red": True, "bold": True},
    Category.ADVICE: {"yellow": True, "bold": True},
    Category.ERROR: {"purple": True, "bold": True},
    Category.BLOCKED: {"yellow": True},
    Category.NOT_APPLICABLE: {},
}
_LABELS = {Category.NOT_APPLICABLE: "n/a"}
_LABEL_WIDTH = len("blocked")
_COUNTED_AS = {Category.PASS.value: "passed", Category.FAIL.value: "failed"}
"""The words of pytest's closing line, where it has words of its own."""
_WIDEST = 110


def pytest_collection_finish(session: pytest.Session) -> None:
    """With nothing but checks to run, pytest's own lists would say everything twice. What was asked for stays."""
    option = session.config.option
    if not session.items or not all(check_of(item) for item in session.items):
        return
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if option.tbstyle == "auto":
        option.tbstyle = "no"
    if reporter is not None:
        reporter.showfspath = False
        if option.reportchars == "fE":
            reporter.reportchars = reporter.reportchars.translate({ord(letter): None for letter in "fE"})


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    category = getattr(report, "category", None)
    if category is None:
        return None
    # A check is counted once: where it was decided.
    decided = report.when == "call" or not report.passed
    return _COUNTED_AS.get(category, category) if decided else "", "", ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    check = check_of(item)
    reporter = item.config.pluginmanager.getplugin("terminalreporter")
    if check and reporter is not None and reporter.isatty:
        reporter.rewrite(f"....  {check.id}", erase=True)


class _Lines:
    """Writes the lines; needs the terminal reporter, so it is registered when that is there."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "check_result", None)
        if result is None:
            return
        if self._reporter.isatty:
            erase_line(self._reporter)
        category = result.category
        label = _LABELS.get(category, category.value)
        self._reporter.write(f"{label:<{_LABEL_WIDTH}}", **_MARKUP[category])
        width = min(self._reporter.config.get_terminal_writer().fullwidth, _WIDEST) - _LABEL_WIDTH
        self._reporter.write_line(line(result, width=width))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        config.pluginmanager.register(_Lines(reporter), "harbor-lines")


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`tell("a pod is deleted")`: says on the terminal where a check that takes long has come to."""
    return teller(request.config)


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`show("3 operations")`: a line that the next one replaces, on a terminal; nothing elsewhere."""
    return shower(request.config)


def line(result: CheckResult, *, width: int) -> str:
    """`   0.1 s  storage.claims-bound  Every claim is Bound`, cut to `width` columns."""
    text = f"{result.duration_s:6.1f} s  {result.id}  {result.claim}"
    return text if len(text) <= width else text[: width - 1] + "…"
