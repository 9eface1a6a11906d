"""Declaring checks."""

import pytest

from harbor_verify import checks
from harbor_verify.checks import check
from harbor_verify.errors import CheckDefinitionError, HarnessError
from harbor_verify.plugin import needs
from harbor_verify.verdict import Failure

TEXTS = {"hint": "do  this\n now", "source": "somewhere"}


@pytest.fixture(autouse=True)
def no_checks_yet(monkeypatch):
    monkeypatch.setattr(checks, "_checks", {})


def test_a_check_carries_what_reports_need():
    @check("unit.it-holds", needs=("disruption",), **TEXTS)
    def test_it():
        """It holds.

        More words.
        """

    declared = checks.every()["unit.it-holds"]
    assert test_it.check is declared
    assert (declared.area, declared.claim, declared.hint) == ("unit", "It holds.", "do this now")
    assert {mark.name for mark in test_it.pytestmark} == {"check", "disruption"}


@pytest.mark.parametrize("id", ["unit", "unit.It-holds", "unit.a_b", "unit.a--b", "unit.", "x.unit.a"])
def test_a_badly_formed_id_is_refused(id):
    def test_it():
        """It holds."""

    with pytest.raises(CheckDefinitionError, match=r"area\.kebab-fact"):
        check(id, **TEXTS)(test_it)


@pytest.mark.parametrize(
    "id, docstring, changes, complaint",
    [
        ("other.it-holds", "It holds.", {}, "belongs in the folder other/"),
        ("unit.it-holds", None, {}, "no claim"),
        ("unit.it-holds", "It holds.", {"hint": " "}, "hint"),
        ("unit.it-holds", "It holds.", {"source": ""}, "source"),
        ("unit.it-holds", "It holds.", {"needs": ("moonlight",)}, "needs moonlight"),
    ],
)
def test_an_incomplete_check_is_refused(id, docstring, changes, complaint):
    def test_it():
        pass

    test_it.__doc__ = docstring
    with pytest.raises(CheckDefinitionError, match=complaint):
        check(id, **{**TEXTS, **changes})(test_it)


def test_an_id_is_declared_once():
    def test_one():
        """One."""

    def test_two():
        """Two."""

    check("unit.it-holds", **TEXTS)(test_one)
    check("unit.it-holds", **TEXTS)(test_one)  # imported again
    with pytest.raises(CheckDefinitionError, match="declared twice"):
        check("unit.it-holds", **TEXTS)(test_two)


def test_of_every_need_it_can_be_found_out_whether_it_is_met():
    assert set(checks.NEEDS) == set(needs._PROBES)


def test_an_error_of_the_suite_is_never_taken_for_a_failure_of_harbor():
    def below(kind):
        return {kind, *(deeper for sub in kind.__subclasses__() for deeper in below(sub))}

    assert not [kind for kind in below(HarnessError) if issubclass(kind, AssertionError)]
    assert not issubclass(Failure, HarnessError)
