"""Actions run in the order that their needs give, side by side, and name the one that failed."""

import threading

import pytest

from lab.actions import Action, perform
from lab.errors import LabError


def test_an_action_runs_after_all_that_it_needs():
    done: list[str] = []
    perform(
        [
            Action("roof", lambda: done.append("roof"), ("walls", "beams")),
            Action("walls", lambda: done.append("walls"), ("ground",)),
            Action("beams", lambda: done.append("beams")),
            Action("ground", lambda: done.append("ground")),
        ]
    )
    assert done.index("ground") < done.index("walls") < done.index("roof")
    assert done.index("beams") < done.index("roof")


def test_actions_that_do_not_need_each_other_run_side_by_side():
    both = threading.Barrier(2, timeout=10)  # passes only when two are in it at once
    perform([Action("one", both.wait), Action("other", both.wait)])
    assert not both.broken


def test_a_failure_names_its_step_and_nothing_that_needs_it_runs():
    done: list[str] = []

    def fail() -> None:
        raise LabError("no space left")

    with pytest.raises(LabError, match="walls: no space left"):
        perform([Action("walls", fail), Action("roof", lambda: done.append("roof"), ("walls",))])
    assert done == []


def test_a_bug_keeps_its_own_type():
    with pytest.raises(ZeroDivisionError):
        perform([Action("sum", lambda: 1 / 0)])


def test_progress_says_what_began_and_what_ended(capsys):
    perform([Action("pour the ground", lambda: None)])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].split() == ["…", "pour", "the", "ground"]
    assert lines[1].startswith("  ✓")
    assert lines[1].endswith("s  pour the ground")
