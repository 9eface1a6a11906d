"""What the lab's tests require of a report on a planted defect: exactly its checks are red, and a hint that helps."""

from dataclasses import replace

import pytest

from lab.defects import Defect
from lab.layouts import Layout
from tests.lab.running import is_right, require_exactly, touches_images

CAUSE, CONSEQUENCE, OTHER = (
    "configuration.session-store-configured",
    "sessions.known-to-every-replica",
    "access.docker-login",
)
KILL = {"id": "failover.web-pod-kill", "area": "failover"}
PUSHES = {"id": "registry.every-push-kept", "area": "registry"}
DEFECT = Defect(
    report="h#1",
    shows="nothing",
    turns_red=frozenset({CAUSE}),
    may_turn_red=frozenset({CONSEQUENCE}),
    hint_says=("the same setting",),
)


def told(cause=None, follows=None, other=None):
    """A report's checks: the cause red, all else green, each with what is given."""
    red = {"verdict": "fail", "offenders": [{"object": "pod a"}], "hint": "Give all the same setting."}
    green = {"verdict": "pass", "message": "", "offenders": [], "hint": "", "caused_by": None}
    checks = {CAUSE: {**red, **(cause or {})}, CONSEQUENCE: follows or {}, OTHER: other or {}}
    return {
        id: {**green, "id": id, "area": id.partition(".")[0], "measured": {}, **check}
        for id, check in checks.items()
    }


def require(checks, exit_code=1, defect=DEFECT):
    require_exactly(defect, DEFECT.turns_red, "harbor-2", Layout(about="any"), exit_code, checks)


@pytest.mark.parametrize("follows", [{}, {"verdict": "fail", "caused_by": CAUSE}])
def test_what_chance_decides_may_be_red_and_may_be_green(follows):
    require(told(follows=follows))


@pytest.mark.parametrize(
    "checks, complaint",
    [
        (told(cause={"verdict": "pass"}), "pass, not fail"),
        (told(cause={"verdict": "error"}), "error, not fail"),
        (told(other={"verdict": "fail", "caused_by": CAUSE}), "fail, not pass"),
        (told(follows={"verdict": "error"}), "error, not pass"),
        (told(follows={"verdict": "fail"}), "which check explains which"),
        (told(cause={"caused_by": OTHER}), "which check explains which"),
        (told(cause={"hint": "Look at the log."}), "no hint of .* says"),
        (told(cause={"offenders": []}), "names no offender"),
        (told(cause=KILL), "red before it saw anything of the defect: configuration.session"),
        (told(cause={**PUSHES, "measured": {"pushes_count": 0}}), "red before it saw anything"),
    ],
)
def test_anything_else_is_told(checks, complaint):
    with pytest.raises(AssertionError, match=complaint):
        require(checks)


def test_a_check_that_breaks_something_is_red_by_what_it_measured():
    require(told(cause={**KILL, "measured": {"outage_ms": 4000.0}}))
    require(told(follows={"verdict": "fail", "caused_by": CAUSE, **KILL}))
    require(told(cause=PUSHES))


def test_of_a_check_that_only_looks_a_figure_of_0_may_be_what_is_wrong():
    require(told(cause={"measured": {"session_store_evicted_count": 0}}))


def test_what_is_red_by_chance_may_explain_the_others_only_where_the_defect_says_so():
    checks = told(
        cause={"caused_by": CONSEQUENCE}, follows={"verdict": "fail", "offenders": [{}], "hint": ""}
    )
    require(checks, defect=replace(DEFECT, chance_explains=True))
    with pytest.raises(AssertionError, match="which check explains which"):
        require(checks)
    with pytest.raises(AssertionError, match="which check explains which"):
        require(told(cause={"caused_by": OTHER}), defect=replace(DEFECT, chance_explains=True))


def test_a_red_check_that_must_be_green_makes_the_exit_code_1():
    with pytest.raises(AssertionError):
        require(told(), exit_code=0)


def test_the_costly_checks_are_asked_for_with_what_has_to_do_with_images():
    assert not touches_images(DEFECT)
    assert touches_images(Defect(report="", shows="", turns_red=frozenset({"registry.delete-removes"})))


@pytest.mark.parametrize(
    "verdict, expected, right",
    [
        ("pass", "pass", True),
        ("not applicable", "pass", True),
        ("not applicable", "fail", False),
        ("error", "pass", False),
        ("fail", "pass", False),
    ],
)
def test_what_has_nothing_to_look_at_at_times_may_say_so_where_it_is_to_be_green(verdict, expected, right):
    assert is_right("jobs.replicas-follow-the-database", verdict, expected) is right
    assert is_right("jobs.jobs-end", "not applicable", "pass") is False
