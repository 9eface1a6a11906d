"""Images read by audits, in report.html: of what `harbor-verify audit` has left beside the runs."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.result import Affected, Result, document
from harbor_verify.reports import html_file
from harbor_verify.reports.audits import audits
from harbor_verify.reports.model import Run

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)
URL = "https://h"


@pytest.fixture
def run():
    made = Run("20261128-030000", NOW, "existing", URL, "harbor", "harbor-2", ["Harbor"])
    made.finished = NOW + timedelta(minutes=1)
    return made


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "runs" / "2026-11-28T03-00-00Z"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def keep(tmp_path):
    def kept(name, *, at=NOW, url=URL, ended="", read=90, kinds=()):
        counts = {"artifacts": 100, "artifacts_read": read, "blobs": 100, "blobs_read": read, "troubles": 0}
        affected = [Affected(kind, "sha256:1", ["r0"], [], "not there", []) for kind in kinds]
        result = Result(
            affected, [("a", "b")], counts, {"read_bytes": 2**30}, url=url, ended_at=at, ended=ended
        )
        place = tmp_path / "audits" / name
        place.mkdir(parents=True)
        (place / "audit.json").write_text(json.dumps(document(result)))

    return kept


def test_without_an_audit_there_is_no_such_section(run, folder):
    assert not audits(run, folder)
    assert 'id="audits"' not in html_file.document(run, folder)


def test_how_far_it_came_and_what_it_found_is_told(run, folder, keep):
    keep("a", ended="it was <interrupted>", kinds=(Kind.MISSING, Kind.ORPHAN))
    (found,) = audits(run, folder)
    assert (found.percent, found.wrong, found.left_over, found.unknown) == (90, 1, 1, 1)
    page = html_file.document(run, folder).replace("<wbr>", "")
    for words in (
        '<a href="#audits">',
        'value="90.0"',
        "90 of 100",
        "1\u00a0GiB",
        "&lt;interrupted&gt;",
        "--resume audits/a goes on",
    ):
        assert words in page


def test_the_newest_that_ended_last_stands_first_and_five_are_shown(run, folder, keep):
    for day in range(7):
        keep(f"2026-11-2{day}", at=NOW - timedelta(days=7 - day))
    assert [each.folder for each in audits(run, folder)] == [f"2026-11-2{day}" for day in (6, 5, 4, 3, 2)]


def test_another_harbors_a_later_one_and_one_that_cannot_be_read_are_passed_over(run, folder, keep, tmp_path):
    keep("other", url="https://another")
    keep("later", at=NOW + timedelta(hours=1))
    for name, text in (("killed", None), ("cut", "{"), ("old", '{"format": 1}'), ("odd", "[]")):
        (tmp_path / "audits" / name).mkdir()
        if text is not None:
            (tmp_path / "audits" / name / "audit.json").write_text(text)
    assert not audits(run, folder)


def test_whole_of_nothing_is_no_percent(run, folder, keep):
    keep("a", read=0)
    assert audits(run, folder)[0].percent == 0
