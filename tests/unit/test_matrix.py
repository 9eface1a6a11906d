"""What `make matrix` keeps and draws: seen, missed, false alarm; and that it goes on where it was."""

import dataclasses
import subprocess
import sys

import pytest

from lab import defects, settings
from lab.profiles import HARBOR_2
from tests.lab.matrix import page
from tests.lab.matrix.record import Code, Planted, Record, load, save

SOUND = Planted(
    profile="harbor-2",
    layout="reference",
    expected={"keys-differ": ("access.one", "access.two")},
    by_chance=("registry.luck",),
    verdicts={"access.one": "fail", "access.two": "fail", "registry.luck": "fail", "storage.four": "pass"},
    wrong={},
)
WRONG = dataclasses.replace(
    SOUND,
    verdicts={"access.one": "fail", "access.two": "pass", "storage.four": "fail", "storage.five": "error"},
    wrong={"access.two": "fail", "storage.four": "pass", "storage.five": "pass"},
)


def record(planted, *, passed=True, message="", test="tests/lab/test_defects.py::test_it[x]"):
    return Record(test, passed, "2026-11-28T11:00:00+00:00", 61.0, "abc", message, planted)


def only_row(planted, **told):
    [row] = page.rows([record(planted, **told)])
    return row


def test_what_was_kept_comes_back(tmp_path):
    save(record(SOUND), tmp_path)
    save(record(None, test="other"), tmp_path)
    (tmp_path / "half.json").write_text('{"test": ')
    one, other = load(tmp_path)
    assert (one.test, one.planted) == ("other", None)
    assert page.rows([other])[0].cells == only_row(SOUND).cells


def test_a_later_run_of_a_test_replaces_the_earlier(tmp_path):
    save(record(SOUND, passed=False), tmp_path)
    save(record(SOUND), tmp_path)
    assert [each.passed for each in load(tmp_path)] == [True]


def test_a_check_is_seen_or_came_by_chance():
    assert only_row(SOUND).cells == {
        "access.one": page.SEEN,
        "access.two": page.SEEN,
        "registry.luck": page.BY_CHANCE,
    }


def test_what_went_wrong_is_told_apart():
    assert only_row(WRONG, passed=False).cells == {
        "access.one": page.SEEN,
        "access.two": page.MISSED,
        "storage.four": page.FALSE_ALARM,
        "storage.five": page.UNKNOWN,
    }


def test_of_several_planted_together_each_has_its_own_row():
    together = dataclasses.replace(
        SOUND, expected={"one": ("access.one",), "two": ("access.two",)}, by_chance=()
    )
    rows = {row.name: row.cells for row in page.rows([record(together)])}
    assert rows == {"one": {"access.one": page.SEEN}, "two": {"access.two": page.SEEN}}


def test_the_text_has_eighty_columns_and_says_what_was_never_red():
    text = page.text([record(WRONG, passed=False), record(SOUND, test="again"), record(None, test="other")])
    assert max(map(len, text.splitlines())) <= 80
    assert "✗ harbor-2" in text
    assert "    missed: access.two\n" in text
    assert "    false alarm: storage.four\n" in text
    assert "1 of 2 defects turned exactly their checks red" in text
    assert "3 of 5 checks that were run were turned red by none of these" in text


def test_a_wrong_blame_is_told_in_words():
    text = page.text(
        [record(SOUND, passed=False, message="AssertionError: no hint of access.one says ['token']")]
    )
    assert "no hint of access.one says ['token']" in text


def test_the_page_needs_nothing_else_and_shows_every_cell(tmp_path):
    document = page.write([record(WRONG, passed=False, message="<b>wrong</b>")], tmp_path).read_text()
    assert "<script" not in document
    assert "http" not in document
    assert document.count('class="missed"') == 2  # the cell, and what the sign means
    assert "&lt;b&gt;wrong&lt;/b&gt;" in document


def test_the_code_of_a_planted_defect_is_its_own_modules_what_they_use_and_all_but_defects():
    def module(name):
        return defects.file_of(HARBOR_2, name)

    planted = [module("schedules-paused")]
    code = Code.read()
    state = code.state(planted)

    def changed(file):
        return Code({**code.digests, file: "changed"}).state(planted) != state

    assert changed(module("schedules-paused"))
    assert changed(module("queue-paused"))  # which it imports
    assert changed(settings.REPOSITORY / "lab" / "defects" / "jobs_in_redis.py")
    assert changed(settings.REPOSITORY / "requirements.txt")
    assert not changed(module("volume-full"))
    assert Code({**code.digests, module("volume-full"): "changed"}).state() != code.state()


def test_each_way_of_a_mistake_is_in_the_same_module():
    assert defects.file_of(HARBOR_2, "front-door-body-limit-unread") == defects.file_of(
        HARBOR_2, "front-door-body-limit"
    )


PASSES_ONCE = """
from tests.lab.matrix.plugin import note
from tests.lab.matrix.record import Planted

def test_planted(record_property):
    expected = {"a-defect": ("access.one",)}
    note(record_property, Planted("harbor-2", "reference", expected, (), {"access.one": "fail"}, {}))

def test_other():
    assert {other}
"""


@pytest.fixture
def run(tmp_path):
    """Runs a lab's tests, of which one is as told, with records in a folder of its own; gives what pytest says."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(
        "from tests.lab.conftest import pytest_addoption, pytest_configure\n"
    )

    def run(way: str, other: str) -> subprocess.CompletedProcess:
        (tmp_path / "test_lab.py").write_text(PASSES_ONCE.replace("{other}", other))
        return subprocess.run(
            [sys.executable, "-m", "pytest", f"--matrix={way}", "--matrix-dir=seen", tmp_path],
            cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(settings.REPOSITORY)},
        )  # fmt: skip

    return run


def test_it_goes_on_with_what_has_not_passed(run):
    first = run("resume", "False")
    assert "1 failed, 1 passed" in first.stdout
    assert "1 of 1 defects turned exactly their checks red" in first.stdout
    again = run("resume", "True")
    assert "1 passed, 1 deselected" in again.stdout
    assert "1 tests passed before" in again.stdout
    at_last = run("resume", "True")
    assert at_last.returncode == 0
    assert "2 deselected" in at_last.stdout
    assert "2 passed" in run("fresh", "True").stdout
