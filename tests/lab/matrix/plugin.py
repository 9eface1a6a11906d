"""Keeps what each test of the lab has seen, leaves out what was seen already, and draws the matrix at the end."""

import datetime
from pathlib import Path

import pytest

from lab import defects
from tests.lab.matrix import page
from tests.lab.matrix.record import Code, Planted, Record, load, save

_PROPERTY = "planted"
_MARKER = "plants"


def note(record_property, planted: Planted) -> None:
    """What the running test has planted and seen; `record_property` is pytest's fixture."""
    record_property(_PROPERTY, planted)


class Matrix:
    """Given to pytest by `make matrix`.

    `folder` keeps the records. `resume`: what passed with this very code is not run again; of a test marked
    `plants(profile, name)` the modules of other defects are no part of it.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.folder = folder
        self.resume = resume
        self.seen_before = 0
        self.codes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        code = Code.read()
        self.codes = {item.nodeid: code.state(_planted(item)) for item in items}
        if not self.resume:
            return
        known = {each.test for each in self._of_this_code() if each.passed}
        left_out = [item for item in items if item.nodeid in known]
        items[:] = [item for item in items if item.nodeid not in known]
        self.seen_before = len(left_out)
        config.hook.pytest_deselected(items=left_out)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A test that fails before it is called, or was skipped, has seen nothing.
        if report.when != "call" or report.skipped:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        save(
            Record(
                test=report.nodeid,
                passed=report.passed,
                finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                duration_s=round(report.duration, 1),
                code=self.codes[report.nodeid],
                message=crash.message if crash else "",
                planted=dict(report.user_properties).get(_PROPERTY),
            ),
            self.folder,
        )

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.seen_before and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        records = self._of_this_code()
        if not records:
            return
        terminalreporter.section("matrix")
        if self.seen_before:
            terminalreporter.write_line(
                f"{self.seen_before} tests passed before with this very code and were not run again; "
                "FRESH=1 runs them"
            )
        terminalreporter.write(page.text(records))
        terminalreporter.write_line(f"drawn in {page.write(records, self.folder)}")

    def _of_this_code(self) -> list[Record]:
        return [each for each in load(self.folder) if each.code == self.codes.get(each.test)]


def _planted(item: pytest.Item) -> list[Path] | None:
    """The modules of what a test plants; None where it does not say."""
    marker = item.get_closest_marker(_MARKER)
    if marker is None:
        return None
    profile, name = marker.args
    return [defects.file_of(profile, each) for each in defects.names(name)]
