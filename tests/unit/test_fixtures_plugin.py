"""The pytest side as a person sees it: whole pytest runs, with a target of a few lines in place of a cluster."""

import re

import pytest

from tests.unit.plugin_runs import Suite


@pytest.fixture
def suite(tmp_path):
    return Suite(tmp_path)


def test_a_run_in_which_all_holds(suite):
    suite.check("fine", "pass", arguments="measured, made")
    code, output = suite.run()
    assert code == 0
    assert "found: a fake" in output
    assert re.search(r"^pass +0\.\d s  unit\.fine  It holds\.$", output, re.MULTILINE)
    assert "Everything that was checked holds: 1 check passed." in output
    assert "1 passed" in output.splitlines()[-1]
    assert "thing removed" in output
    assert suite.report()["exit_code"] == 0


def test_a_failure_is_told_as_claim_offenders_and_hint_without_a_traceback(suite):
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "y"), Offender("ns/b", "x", "z")])')
    code, output = suite.run()
    assert code == 1
    assert re.search(r"^fail +0\.\d s  unit\.bad  It holds\.$", output, re.MULTILINE)
    assert [output.count(told) for told in ("ns/a", "ns/b", "→ mend bad", "Traceback", "test_it.py:")] == [
        1,
        1,
        1,
        0,
        0,
    ]
    assert "1 failed" in output.splitlines()[-1]


def test_what_the_suite_could_not_find_out_is_an_error_and_no_pass(suite):
    suite.check("harness", 'raise CannotTell("too dark")')
    suite.check("bug", "{}['key']")
    suite.check("empty", "pass", arguments="findings")
    suite.check("fixture", "pass", arguments="broken")
    suite.file.write_text(
        suite.file.read_text() + "\n@pytest.fixture\ndef broken():\n    assert False, 'oh'\n"
    )
    code, output = suite.run()
    assert code == 1
    found = {check["id"]: (check["verdict"], check["message"]) for check in suite.report()["checks"]}
    assert {verdict for verdict, _ in found.values()} == {"error"}
    assert found["unit.harness"][1] == "CannotTell: too dark"
    assert "KeyError" in found["unit.bug"][1]
    assert "test_it.py" in found["unit.bug"][1], "a bug of the suite shows where it is"
    assert found["unit.fixture"][1].startswith("in setup: AssertionError: oh")
    assert "4 errors" in output.splitlines()[-1]
    assert "No verdict" in output


def test_a_failure_found_by_a_fixture_is_about_harbor(suite):
    suite.check("bad", "pass", arguments="sees_it")
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef sees_it():\n    raise Failure([Offender('ns/a', 'x', 'y')])\n"
    )
    assert suite.run()[0] == 1
    assert suite.report()["checks"][0]["verdict"] == "fail"


def test_a_teardown_that_fails_spoils_a_pass(suite):
    suite.check("fine", "pass", arguments="leaky")
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef leaky():\n    yield\n    raise CannotTell('not healed')\n"
    )
    assert suite.run()[0] == 1
    assert suite.report()["checks"][0]["verdict"] == "error"


@pytest.mark.parametrize("strict", [False, True])
def test_a_check_whose_need_is_not_met_is_blocked_and_under_strict_skips_an_error(suite, strict):
    suite.check("exec", "pass", needs=("exec",))
    suite.check("late", 'need("exec")', arguments="need")
    code, output = suite.run(*(["--strict-skips"] if strict else []))
    verdicts = {check["id"]: check["verdict"] for check in suite.report()["checks"]}
    assert set(verdicts.values()) == {"error" if strict else "blocked"}
    assert code == (1 if strict else 0)
    flat = " ".join(output.split())
    assert "this account may not get pods/exec or create pods/exec in namespace harbor" in flat
    assert strict or "0 checks" not in flat
    assert strict or "2 blocked in" in output.splitlines()[-1]


@pytest.mark.parametrize("flags", [(), ("--strict-skips",)])
def test_what_breaks_things_is_not_owed_by_who_does_not_allow_it(suite, flags):
    suite.check("breaks", "assert False", needs=("disruption", "exec"))
    suite.check("drains", "assert False", needs=("node-changes",))
    suite.check("fine", "pass")
    code, output = suite.run(*flags)
    verdicts = {check["id"]: check["verdict"] for check in suite.report()["checks"]}
    assert verdicts == dict.fromkeys(("unit.breaks", "unit.drains"), "not applicable") | {"unit.fine": "pass"}
    assert code == 0
    flat = " ".join(output.split())
    assert "neither --allow-disruption nor the label" in flat
    assert "without --allow-node-drain no node is touched" in flat


def test_before_a_run_it_is_told_what_is_missing_and_what_that_costs(suite):
    suite.check("exec", "pass", needs=("exec",))
    suite.check("breaks", "pass", needs=("disruption",))
    suite.check("machines", "pass", needs=("machine-control",))
    suite.check("fine", "pass")
    _, output = suite.run()
    before = " ".join(output.partition("Missing here:")[2].partition("report:")[0].split())
    assert "no permission to run commands in pods: this account may not get pods/exec" in before
    assert "1 check blocked: unit.exec" in before
    assert "1 check not applicable: unit.machines" in before


@pytest.mark.parametrize("flags, expected", [((), 0), (("--strict-skips",), 1)])
def test_preflight_alone_verifies_nothing_and_leaves_nothing(suite, flags, expected):
    suite.check("exec", "assert False", needs=("exec",))
    suite.check("fine", "assert False")
    suite.check("page", "assert False", requires="(Role.PAGE,)")
    code, output = suite.run("--preflight", *flags)
    assert code == expected
    assert "found: a fake" in output
    assert "1 checks can be made; 1 are blocked; 1 are not applicable." in output
    assert not (suite.folder / "reports").exists()
    assert "lease given back" not in output


def test_a_check_about_what_this_harbor_has_not_is_left_out_and_told_once(suite):
    suite.check("fine", "pass", requires="(Role.WEB, Feature.ROBOTS)")
    suite.check("jobs", "assert False", requires="(Role.JOB, Feature.ROBOTS, Feature.GALERA)")
    suite.check("page", "assert False", requires="(Role.PAGE,)")
    code, output = suite.run()
    assert code == 0
    report = suite.report()
    lacking = {
        check["id"]: check["message"] for check in report["checks"] if check["verdict"] == "not applicable"
    }
    assert report["not_run"] == []
    assert lacking == {
        "unit.jobs": "harbor-9 has no job, no database that may be a Galera cluster",
        "unit.page": "harbor-9 has no page",
    }
    assert (output.count("unit.jobs"), output.count("unit.page")) == (1, 1)
    assert "Not applicable here (2)" in output
    assert "Everything that was checked holds: 1 check passed." in output
    assert "1 passed, 2 deselected" in output.splitlines()[-1]


@pytest.mark.parametrize("flags", [(), ("--strict-skips",)])
def test_a_check_that_finds_nothing_that_it_could_be_about_spoils_no_verdict(suite, flags):
    suite.check("fine", "pass")
    suite.check("late", 'not_applicable("TLS is not used, says of-the-admin")', arguments="not_applicable")
    code, output = suite.run(*flags)
    assert code == 0
    report = suite.report()
    told = [(check["verdict"], check["message"]) for check in report["checks"]]
    assert told == [("pass", ""), ("not applicable", "TLS is not used, says [redacted]")]
    assert (report["not_run"], report["summary"]["blocked"]) == ([], 0)
    assert "  TLS is not used, says [redacted]: unit.late" in output.splitlines()
    assert "Everything that was checked holds: 1 check passed." in output
    assert "skip" not in output


@pytest.mark.parametrize("flags", [(), ("--strict-advice",), ("--strict",)])
def test_advice_that_is_not_followed_is_told_and_counts_only_where_it_is_strict(suite, flags):
    suite.check("fine", "pass")
    suite.check("kept", 'raise Failure([Offender("pv x", "kept", "not kept")])', severity="should")
    code, output = suite.run(*flags)
    assert code == (1 if flags else 0)
    (advice,) = [check for check in suite.report()["checks"] if check["id"] == "unit.kept"]
    assert (advice["verdict"], advice["severity"], advice["category"]) == ("fail", "should", "advice")
    assert "Advice: 1 check of what should be so is not." in output
    counts = "Not as it should be: 1 check of advice failed, which --strict-advice counts."
    assert (counts if flags else "Everything that was checked holds: 1 check passed.") in output
    assert "1 advice" in output.splitlines()[-1]


def test_advice_does_not_hide_that_something_could_not_be_undone(suite):
    suite.check(
        "kept", 'raise Failure([Offender("pv x", "kept", "not")])', severity="should", arguments="leaky"
    )
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef leaky():\n    yield\n    raise CannotTell('not healed')\n"
    )
    assert suite.run()[0] == 1
    (check,) = suite.report()["checks"]
    assert (check["verdict"], check["category"]) == ("error", "error")
    assert [o["object"] for o in check["offenders"]] == ["pv x"]


def test_findings_are_judged_when_the_check_ends(suite):
    body = """
        with findings.about("pod ns/a", "answers") as answer:
            answer.wrong("it does not")
        with findings.about("pod ns/b", "answers"):
            pass
    """
    suite.check("bad", body, arguments="findings")
    suite.check("none", "pass", arguments="findings")
    suite.check(
        "unknown", 'with findings.about("pod ns/a", "x"): raise CannotTell("dark")', arguments="findings"
    )
    suite.check(
        "broken", 'findings.wrong("pod ns/a", "x", "y")\nraise CannotTell("later")', arguments="findings"
    )
    failure = 'findings.wrong("pod ns/a", "x", "y")\nraise Failure([Offender("pod ns/b", "x", "y")])'
    suite.check("both", failure, arguments="findings")
    code, _ = suite.run()
    assert code == 1
    checks = {check["id"].partition(".")[2]: check for check in suite.report()["checks"]}
    assert {name: check["verdict"] for name, check in checks.items()} == {
        "bad": "fail", "none": "error", "unknown": "error", "broken": "fail", "both": "fail"
    }  # fmt: skip
    assert [o["object"] for o in checks["bad"]["offenders"]] == ["pod ns/a"]
    assert [o["object"] for o in checks["both"]["offenders"]] == ["pod ns/a", "pod ns/b"]
    assert "nothing to examine" in checks["none"]["message"]
    assert "pod ns/a: dark" in checks["unknown"]["message"]
    assert "later" in checks["broken"]["message"]


def test_what_was_left_behind_is_told_also_of_a_check_that_is_not_applicable(suite):
    suite.check("late", 'not_applicable("not used")', arguments="not_applicable, leaky")
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef leaky():\n    yield\n    raise CannotTell('not healed')\n"
    )
    assert suite.run()[0] == 1
    (check,) = suite.report()["checks"]
    assert check["verdict"] == "error"
    assert "not healed" in check["message"]


def test_a_hint_is_in_the_words_of_this_harbor(suite):
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "y")])', hint=": look at every {web} pod")
    _, output = suite.run()
    assert "mend bad: look at every uber pod" in output
    assert suite.report()["checks"][0]["hint"] == "mend bad: look at every uber pod"


def test_what_breaks_things_runs_last_and_only_when_allowed(suite):
    suite.check("a-breaks", "pass", needs=("disruption",))
    suite.check("b-looks", "pass")
    code, _ = suite.run("--allow-disruption")
    assert code == 0
    assert [check["id"] for check in suite.report()["checks"]] == ["unit.b-looks", "unit.a-breaks"]


def test_after_something_could_not_be_mended_nothing_more_is_broken(suite):
    suite.check("one", 'run_state.unhealed.append("pod x")', needs=("disruption",), arguments="run_state")
    suite.check("two", "pass", needs=("disruption",))
    assert suite.run("--allow-disruption")[0] == 1
    second = suite.report()["checks"][1]
    assert second["verdict"] == "error"
    assert "pod x" in second["message"]


@pytest.mark.parametrize(
    "flags, told",
    [
        (["--namespace", "nowhere"], "namespace nowhere: tried hard; try another"),
        (["--outage-budget-ms", "none"], "--outage-budget-ms"),
        (["--settings-file", "absent.toml"], "absent.toml"),
        (["--ca-file", "absent.pem"], "--ca-file"),
        (["--report-dir", "pytest.ini"], "--report-dir: no folder for this run can be made"),
    ],
)
def test_a_target_that_is_not_reached_or_a_wrong_setting_is_one_message(suite, flags, told):
    suite.check("one", "pass")
    suite.check("two", "pass")
    code, output = suite.run("suites", *flags)
    assert code == 4
    assert output.count("ERROR") == 1
    assert told in output
    assert "Traceback" not in output


def test_collecting_and_helping_reach_for_nothing(suite):
    suite.check("one", "pass")
    code, output = suite.run("suites", "--namespace", "nowhere", "--collect-only")
    assert code == 0
    assert "found:" not in output
    code, output = suite.run("--help")
    assert code == 0
    assert "--harbor-url=URL" in output


def test_tests_that_are_no_checks_need_no_target(suite):
    (suite.folder / "test_other.py").write_text("def test_x():\n    pass\n")
    assert suite.run("test_other.py", "--namespace", "nowhere")[0] == 0
    assert not (suite.folder / "reports").exists()


def test_it_can_be_told_to_show_tracebacks(suite):
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "y")])')
    assert "test_it.py:" in suite.run("--tb=short")[1]


def test_a_check_that_does_not_pass_leaves_evidence_in_a_folder_of_its_own_and_one_that_passes_none(suite):
    suite.check("fine", "pass")
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "y")])')
    suite.check("dark", 'raise CannotTell("too dark")')
    suite.check("torn", "pass", arguments="leaky")
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef leaky():\n    yield\n    raise CannotTell('not healed')\n"
    )
    code, output = suite.run()
    assert code == 1
    collected = {check["id"]: check["evidence"] for check in suite.report()["checks"]}
    assert collected.pop("unit.fine") == []
    assert collected == {
        name: [f"checks/{name}/events.yaml", f"checks/{name}/pods.yaml"]
        for name in ("unit.bad", "unit.dark", "unit.torn")
    }
    assert all(
        (suite.folder / "reports/latest" / file).exists() for files in collected.values() for file in files
    )
    assert not (suite.folder / "reports/latest/checks/unit.fine").exists()
    assert "see checks/unit.bad/ (2 files)" in output


def test_evidence_that_cannot_be_had_changes_no_verdict(suite):
    suite.check("fine", "pass")
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "y")])')
    suite.check(
        "full", 'check_folder.rmdir(); check_folder.write_text(""); assert False', arguments="check_folder"
    )
    assert suite.run("suites", "--namespace", "silent")[0] == 1
    assert [check["verdict"] for check in suite.report()["checks"]] == ["pass", "fail", "fail"]
    told = (suite.folder / "reports/latest/checks/unit.bad/not-collected.txt").read_text().splitlines()
    assert told == ["list the pods in silent: no answer", "list the events in silent: no answer"]
    assert "the evidence is incomplete" in suite.report()["checks"][2]["message"]


def test_what_a_check_puts_into_its_folder_is_evidence_also_when_it_passes(suite):
    suite.check("fine", "(check_folder / 'seen.png').write_text('')", arguments="check_folder")
    assert suite.run()[0] == 0
    assert suite.report()["checks"][0]["evidence"] == ["checks/unit.fine/seen.png"]


def test_what_a_check_lists_is_in_the_report_and_drawn_without_secrets(suite):
    row = '{"what": "of-the-admin", "kind": "robot account", "at": "2030-01-31T00:00:00+00:00", "least_days": 7}'
    suite.check("fine", f'listed["ends"].append({row})', arguments="listed")
    assert suite.run()[0] == 0
    assert suite.report()["checks"][0]["listed"]["ends"][0]["what"] == "[redacted]"
    assert suite.report()["notes"] == []
    page = (suite.folder / "reports/latest/report.html").read_text()
    assert "2030-01-31" in page
    assert "of-the-admin" not in page


def test_no_secret_reaches_a_report_or_the_terminal(suite):
    suite.check("bad", 'raise Failure([Offender("ns/a", "x", "signed in with of-the-admin")])')
    suite.check("dark", 'raise CannotTell("Authorization: Bearer abcdef, of-the-admin")')
    suite.check(
        "bug", 'print("of-the-admin"); measured["note"] = "of-the-admin"; {}[x]', arguments="measured, x"
    )
    suite.file.write_text(suite.file.read_text() + "\n@pytest.fixture\ndef x():\n    return 'of-the-admin'\n")
    _, output = suite.run("suites", "--tb=short", "-rA", "--junitxml=other.xml")
    reports = [file for file in (suite.folder / "reports/latest/").rglob("*") if file.is_file()]
    texts = [output, *(file.read_text() for file in [*reports, suite.folder / "other.xml"])]
    assert len(texts) >= 4
    assert not [text for text in texts if "of-the-admin" in text or "abcdef" in text]
    assert suite.report()["checks"][0]["offenders"][0]["observed"] == "signed in with [redacted]"
