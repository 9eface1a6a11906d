"""Choosing checks by id, as a person does on the command line."""

import pytest

from tests.unit.test_fixtures_plugin import Suite


@pytest.fixture
def suite(tmp_path):
    suite = Suite(tmp_path)
    for name in ("one", "two", "two-more"):
        suite.check(name, "pass")
    return suite


def ids(suite):
    return [check["id"] for check in suite.report()["checks"]]


def test_only_the_checks_that_are_named_are_run(suite):
    code, output = suite.run("--check=unit.one", "--check", "unit.two-*")
    assert code == 0
    assert ids(suite) == ["unit.one", "unit.two-more"]
    assert "1 deselected" in output.splitlines()[-1]


def test_a_name_that_no_check_has_is_refused_with_the_nearest(suite):
    code, output = suite.run("--check=unit.one", "--check=unit.tow")
    assert code == 4
    assert "--check unit.tow: there is no such check among those collected; did you mean unit.two?" in output


def test_two_presets_are_refused_and_one_chooses(suite):
    code, output = suite.run("--smoke", "--gate")
    assert code == 4
    assert "one of --smoke, --gate: a run is for one thing" in output
    code, output = suite.run("--gate", "--check=unit.two*")
    assert (code, ids(suite)) == (0, ["unit.two", "unit.two-more"])


def test_the_gate_makes_an_error_of_what_is_blocked(suite):
    suite.check("three", "pass", needs=("exec",))
    assert suite.run("--check=unit.three")[0] == 0
    assert suite.run("--gate", "--check=unit.three")[0] == 1
