"""The OCI conformance suite as a black box: what it left is read, and who differs is named."""

from collections import Counter
from types import SimpleNamespace

import pytest

from harbor_verify import conformance
from harbor_verify.clients.harbor import Credentials
from harbor_verify.conformance import Conformance
from harbor_verify.errors import CannotTell
from suites.images import test_conformance as module
from tests.unit.running import examine, offenders_of

JUNIT = """<testsuites><testsuite name="OCI">
<testcase name="OCI/ping" status="passed"/>
<testcase name="OCI/sha512/push" status="failure"><failure/></testcase>
<testcase name="OCI/sha512/push" status="failure"><failure/></testcase>
<testcase name="OCI/head" status="failure"><system-err>GET
~~~ Error ~~~
EOF</system-err></testcase>
<testcase name="OCI/tag" status="skipped"/>
</testsuite></testsuites>"""
ADMIN = Credentials("admin", "s3cret-word")


def test_what_failed_is_counted_by_name_and_what_was_skipped_is_not():
    found = conformance.read(JUNIT)
    assert (found.failed, found.tests) == (
        frozenset({("OCI/sha512/push", 2), ("OCI/head", 1)}),
        4,
    )
    assert (found.names, found.count) == (["OCI/head", "OCI/sha512/push"], 3)
    assert found.unanswered == {"OCI/head"}


@pytest.mark.parametrize(
    "text", ["<testsuites/>", "no xml", JUNIT.replace("failure", "x").replace("passed", "skipped")]
)
def test_a_result_without_tests_tells_nothing(text):
    with pytest.raises(CannotTell):
        conformance.read(text)


def program(tmp_path, script):
    file = tmp_path / "conformance"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def run(program, kept=None, **more):
    kept = {} if kept is None else kept
    return conformance.run(
        program, "127.0.0.1:1", "disabled", "p", ADMIN, keep=kept.__setitem__, timeout_s=10, **more
    )


def test_it_is_told_where_to_go_and_its_reports_are_kept(tmp_path):
    (tmp_path / "junit.xml").write_text(JUNIT)
    script = f'cp {tmp_path}/junit.xml "$OCI_RESULTS_DIR"; env | grep OCI_ > "$OCI_RESULTS_DIR/results.yaml"; exit 1'
    kept = {}
    found = run(program(tmp_path, script), kept, ca_file=None)
    assert found.tests == 4
    for line in ("OCI_REGISTRY=127.0.0.1:1", "OCI_TLS=disabled", "OCI_REPO1=p/conformance-one"):
        assert line in kept["results.yaml"]


@pytest.mark.parametrize("script", ["echo no such host >&2; exit 1", "exit 0"])
def test_no_result_is_no_verdict(tmp_path, script):
    with pytest.raises(CannotTell, match="left no result"):
        run(program(tmp_path, script))


def test_a_program_that_is_none_is_no_verdict(tmp_path):
    with pytest.raises(CannotTell):
        run(tmp_path / "absent")


CHECK = module.test_the_conformance_suite_finds_the_same_everywhere


def harbor():
    replicas = [SimpleNamespace(object=f"pod h/core-{number}", name=f"core-{number}") for number in range(3)]
    return SimpleNamespace(access=SimpleNamespace(url="http://h"), registry_api_replicas=lambda: replicas)


def found(*names):
    return Conformance(frozenset(Counter(names).items()), 100)


def conformance_of(**differs):
    """What is found at each place, by a word for it; everywhere else the usual."""

    def of(replica):
        word = replica.name.replace("-", "_") if replica else "front"
        result = differs.get(word, found("sha512", "range"))
        if isinstance(result, Exception):
            raise result
        return result

    return of


def test_the_same_failures_everywhere_are_well_and_counted():
    measured = {}
    examine(CHECK, harbor(), conformance_of(), measured, lambda text: None)
    assert measured == {"conformance_failed_count": 2}


@pytest.mark.parametrize(
    "differs, thing, observed",
    [
        ({"core_1": found("sha512", "range", "push")}, "pod h/core-1", "fails otherwise: push"),
        ({"core_2": found("sha512")}, "pod h/core-2", "passes, or does not know: range"),
        ({"front": found("sha512", "range", "head")}, "front door http://h", "fails otherwise: head"),
        (
            {"core_0": found(*"abcdefg", "sha512", "range")},
            "pod h/core-0",
            "fails otherwise: a, b, c, d, e and 2 more",
        ),
    ],
)
def test_who_differs_from_the_others_is_named(differs, thing, observed):
    [offender] = offenders_of(CHECK, harbor(), conformance_of(**differs), {}, lambda text: None)
    assert (offender.object, offender.observed) == (thing, observed)


def test_a_request_that_got_no_answer_at_one_place_is_unknown_and_any_other_difference_red():
    silent = Conformance(found("sha512", "range", "head").failed, 100, frozenset({"head"}))
    with pytest.raises(CannotTell, match=r"core-1.*got no answer, where others did: head"):
        examine(CHECK, harbor(), conformance_of(core_1=silent), {}, lambda text: None)
    worse = Conformance(found("sha512", "range", "head", "push").failed, 100, frozenset({"head"}))
    [offender] = offenders_of(CHECK, harbor(), conformance_of(core_1=worse), {}, lambda text: None)
    assert offender.observed == "fails otherwise: head, push"


def test_a_place_without_a_result_is_unknown_and_not_well():
    with pytest.raises(CannotTell, match="no result"):
        examine(CHECK, harbor(), conformance_of(core_1=CannotTell("no result")), {}, lambda text: None)
