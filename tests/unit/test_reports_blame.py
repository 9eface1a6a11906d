"""Which failed check explains which."""

from datetime import UTC, datetime

from harbor_verify.reports.blame import causes
from harbor_verify.reports.model import CheckResult, Offender, Severity, Verdict

ONE = "pod harbor/registry-7d9-aaaaa (registry-0 on node-1)"
TWO = "pod harbor/registry-7d9-bbbbb (registry-1 on node-2, not Ready)"


def result(id, *objects, builds_on=(), verdict=Verdict.FAIL, expected="x", severity=Severity.MUST):
    offenders = tuple(Offender(thing, expected, "y") for thing in objects)
    return CheckResult(
        id,
        "a",
        "c",
        "h",
        "s",
        verdict,
        datetime.now(UTC),
        1.0,
        offenders,
        severity=severity,
        builds_on=builds_on,
    )


def test_a_failure_for_the_same_replica_is_a_consequence_of_what_it_builds_on():
    assert causes([result("a.effect", ONE, builds_on=("a.cause",)), result("a.cause", ONE)]) == {
        "a.effect": "a.cause"
    }


def test_a_failure_for_another_replica_is_none():
    assert causes([result("a.effect", TWO, builds_on=("a.cause",)), result("a.cause", ONE)]) == {}


def test_one_offender_that_is_not_explained_keeps_the_failure_apart():
    assert causes([result("a.effect", ONE, TWO, builds_on=("a.cause",)), result("a.cause", ONE)]) == {}


def test_two_causes_together_explain_what_neither_does_alone():
    effect = result("a.effect", ONE, TWO, builds_on=("a.one", "a.two"))
    assert causes([effect, result("a.one", ONE), result("a.two", TWO)]) == {"a.effect": "a.one"}


def test_a_replica_that_is_named_in_what_was_expected_of_another_explains_it():
    effect = result("a.effect", TWO, builds_on=("a.cause",), expected="gives the image that registry-0 took")
    assert causes([effect, result("a.cause", ONE)]) == {"a.effect": "a.cause"}


def test_the_name_of_a_replica_is_not_found_in_a_longer_one():
    effect = result("a.effect", TWO, builds_on=("a.cause",), expected="gives what registry-01 took")
    assert causes([effect, result("a.cause", ONE)]) == {}


def test_what_is_about_no_single_replica_explains_and_is_explained():
    assert causes([result("a.e", "front door http://h", builds_on=("a.c",)), result("a.c", ONE)]) == {
        "a.e": "a.c"
    }
    assert causes([result("a.e", ONE, builds_on=("a.c",)), result("a.c", "database x")]) == {"a.e": "a.c"}


def test_replicas_of_different_parts_are_of_different_kinds():
    web = "pod harbor/core-5c4-ccccc (core-0 on node-1)"
    assert causes([result("a.e", web, builds_on=("a.c",)), result("a.c", ONE)]) == {"a.e": "a.c"}


def test_two_objects_of_one_kind_that_are_no_replicas_are_told_apart_too():
    claims = [f"PersistentVolumeClaim harbor/{name}" for name in ("logs", "registry")]
    assert causes([result("a.e", claims[1], builds_on=("a.c",)), result("a.c", claims[0])]) == {}
    assert causes([result("a.e", claims[0], builds_on=("a.c",)), result("a.c", claims[0])]) == {"a.e": "a.c"}


def test_a_chain_leads_to_its_beginning_also_over_a_check_that_passed():
    chain = [
        result("a.c", ONE, builds_on=("a.b",)),
        result("a.b", ONE, builds_on=("a.a",)),
        result("a.a", ONE),
    ]
    assert causes(chain) == {"a.c": "a.a", "a.b": "a.a"}
    chain[1] = result("a.b", builds_on=("a.a",), verdict=Verdict.PASS)
    assert causes(chain) == {"a.c": "a.a"}


def test_what_passed_or_was_not_run_explains_nothing():
    effect = result("a.effect", ONE, builds_on=("a.cause", "a.absent"))
    assert causes([effect, result("a.cause", verdict=Verdict.PASS)]) == {}
    assert causes([effect, result("a.cause", ONE, verdict=Verdict.ERROR)]) == {}


def test_checks_that_build_on_each_other_explain_neither():
    assert causes([result("a.a", ONE, builds_on=("a.b",)), result("a.b", ONE, builds_on=("a.a",))]) == {}


def test_advice_explains_nothing_that_must_be():
    advice = result("a.cause", ONE, severity=Severity.SHOULD)
    assert causes([result("a.effect", ONE, builds_on=("a.cause",)), advice]) == {}
