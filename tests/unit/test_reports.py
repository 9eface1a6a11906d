"""The run model and what is drawn from it."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as xml

import pytest
from rich.cells import cell_len

from harbor_verify.reports import folder, html_file, json_file, junit, markdown, terminal
from harbor_verify.reports.model import Category, CheckResult, Offender, Run, Severity, Verdict

START = datetime(2026, 11, 24, 2, 30, 15, tzinfo=UTC)


def result(id, verdict=Verdict.PASS, **kwargs):
    given = {
        "claim": f"The claim of {id}, in words long enough to need more than one line of a narrow terminal.",
        "hint": f"mend {id}",
        "source": "somewhere",
        "started": START,
        "duration_s": 1.5,
        **kwargs,
    }
    return CheckResult(id=id, area=id.partition(".")[0], verdict=verdict, **given)


ADVISED = result("a.b", Verdict.FAIL, severity=Severity.SHOULD)
FAILED = result(
    "sessions.b",
    Verdict.FAIL,
    offenders=(
        Offender("pod harbor/ui-rc-x1 (ui-0 on node-1)", "knows the session of ui-1", "unknown (401)"),
        Offender("pod harbor/ui-rc-x2 (ui-1 on node-2)", "knows the session of ui-0", "unknown [bold] (401)"),
    ),
    measured={"outage_ms": 1234},
    evidence=("checks/sessions.b/history.jsonl",),
)


def a_run(*results, **kwargs):
    run = Run(
        id="r1",
        started=START,
        provider="existing",
        url="http://h",
        namespace="harbor",
        profile="harbor-1.2",
        target=["Harbor: http://h"],
        selected=[r.id for r in results],
        results=list(results),
    )
    run.finished, run.exit_code = START.replace(second=45), 1
    for name, value in kwargs.items():
        setattr(run, name, value)
    return run


def test_areas_are_summed_in_the_order_of_running():
    run = a_run(
        result("storage.a"), FAILED, result("sessions.c", Verdict.ERROR), result("storage.d", Verdict.BLOCKED)
    )
    assert [(a.area, a.category, a.duration_s) for a in run.areas()] == [
        ("storage", Category.PASS, 3.0),
        ("sessions", Category.FAIL, 3.0),
    ]


@pytest.mark.parametrize(
    "verdicts, area",
    [
        ("pass blocked", Category.PASS),
        ("pass error", Category.ERROR),
        ("error fail", Category.FAIL),
        ("blocked", Category.BLOCKED),
    ],
)
def test_an_area_has_the_gravest_of_its_verdicts(verdicts, area):
    run = a_run(*(result(f"x.c{n}", Verdict(v)) for n, v in enumerate(verdicts.split())))
    assert run.areas()[0].category == area


def test_an_area_in_which_only_advice_is_not_followed_is_shown_as_that():
    run = a_run(result("x.a"), result("x.b", Verdict.FAIL, severity=Severity.SHOULD))
    assert run.areas()[0].category == Category.ADVICE


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_shows_claim_every_offender_and_hint_within_its_width(width):
    text = terminal.render(a_run(result("storage.a"), FAILED), width=width, colour=False)
    flat = " ".join(text.split())
    for told in (
        "sessions.b",
        "ui-0 on node-1",
        "ui-1 on node-2",
        "unknown [bold] (401)",
        "→ mend sessions.b",
    ):
        assert told in flat
    assert "outage_ms 1234" in flat
    assert max(cell_len(line) for line in text.splitlines()) <= min(width, terminal.WIDEST)
    assert "\x1b" not in text
    assert "\x1b[" in terminal.render(a_run(FAILED), width=width, colour=True)


def test_what_follows_of_a_long_text_stands_below_its_beginning():
    offender = Offender("pod ns/a", "much " * 20, "seen " * 30)
    text = terminal.render(a_run(result("a.a", Verdict.FAIL, offenders=(offender,))), width=80, colour=False)
    lines = text.splitlines()
    for label in ("      expected  ", "      observed  ", "    → "):
        (first,) = (number for number, line in enumerate(lines) if line.startswith(label))
        assert lines[first][len(label)] != " "
    assert [line.index("much") for line in lines if "much" in line] == [16, 16]
    assert {line.index("seen") for line in lines if "seen" in line} == {16}


def test_the_files_of_a_check_are_told_once_as_its_folder():
    files = ("checks/a.a/events.yaml", "checks/a.a/logs/x.log", "checks/a.b/history.jsonl", "other.txt")
    text = terminal.render(a_run(result("a.a", Verdict.FAIL, evidence=files)), width=80, colour=False)
    assert [line.strip() for line in text.splitlines() if line.startswith("    see")] == [
        "see checks/a.a/ (2 files)",
        "see checks/a.b/history.jsonl",
        "see other.txt",
    ]


def test_what_is_blocked_for_one_reason_is_told_together():
    blocked = [
        result(f"a.c{n}", Verdict.BLOCKED, message="needs leave" if n < 2 else "needs docker")
        for n in range(3)
    ]
    text = terminal.render(a_run(*blocked), width=80, colour=False)
    assert "Blocked (3)\n  needs leave: a.c0, a.c1\n  needs docker: a.c2\n" in text


def test_what_is_told_of_one_object_again_and_again_is_told_a_few_times():
    again = [Offender("login@front-door", "no outage", f"an outage of {n} ms") for n in range(9)]
    other = Offender("login@ui-0", "no outage", "lost " + "x" * 5000)
    text = terminal.render(
        a_run(result("a.a", Verdict.FAIL, offenders=(*again, other))), width=80, colour=False
    )
    flat = " ".join(text.split())
    assert flat.count("an outage of") == 3
    assert flat.count("login@front-door") == 1
    assert "and 6 times more alike: report.json has all" in flat
    assert len(flat) < 1500
    assert "login@ui-0" in flat


@pytest.mark.parametrize(
    "results, changes, told",
    [
        ([result("a.a")], {}, "Everything that was checked holds: 1 check passed."),
        ([result("a.a"), result("a.b", Verdict.BLOCKED)], {}, "1 blocked"),
        ([result("a.a"), FAILED], {}, "not highly available: 1 check failed"),
        ([result("a.a"), result("a.b", Verdict.ERROR)], {}, "No verdict"),
        ([result("a.a")], {"selected": ["a.a", "a.b"]}, "No verdict"),
        ([result("a.a")], {"left_behind": ["project x"]}, "No verdict"),
        ([result("a.a", Verdict.BLOCKED)], {}, "nothing was checked"),
        ([result("a.a"), ADVISED], {}, "Everything that was checked holds: 1 check passed."),
        ([result("a.a"), ADVISED], {"strict": True}, "Not as it should be: 1 check of advice failed"),
    ],
)
def test_could_not_find_out_is_never_a_pass(results, changes, told):
    run = a_run(*results)
    for name, value in changes.items():
        setattr(run, name, value)
    assert told in terminal.conclusion(run).plain


def test_what_was_not_run_or_left_behind_is_listed():
    run = a_run(result("a.a"), left_behind=["project verify-x: 500"], selected=["a.a", "a.b"])
    text = terminal.render(run, width=80, colour=False)
    assert "Not run (1)\n  a.b" in text
    assert "Left behind: harbor-verify heal removes it (1)\n  project verify-x: 500" in text


def test_what_is_not_applicable_is_listed_by_its_reason_and_changes_nothing_else():
    reasons = {"b.one": "harbor-9 has no page", "c.x": "not used", "b.two": "harbor-9 has no page"}
    lacking = [result(id, Verdict.NOT_APPLICABLE, message=reason) for id, reason in reasons.items()]
    without = terminal.render(a_run(result("a.a")), width=80, colour=False)
    assert "Not applicable" not in without
    run = a_run(*lacking, result("a.a"))
    text = terminal.render(run, width=80, colour=False)
    assert "\nNot applicable here (3)\n  harbor-9 has no page: b.one, b.two\n  not used: c.x\n" in text
    assert text.splitlines()[-1] == without.splitlines()[-1]
    assert [area.area for area in run.areas()] == ["a", "b", "c"]
    assert run.not_run == []


def test_advice_has_a_line_of_its_own_and_is_no_verdict_about_high_availability():
    advised = result(
        "a.b", Verdict.FAIL, severity=Severity.SHOULD, offenders=(Offender("pv x", "kept", "not"),)
    )
    text = terminal.render(a_run(result("a.a"), advised), width=80, colour=False)
    assert "\nAdvice (1)\n\n  a.b\n" in text
    assert "→ mend a.b" in text
    assert text.endswith(
        "Advice: 1 check of what should be so is not.\nEverything that was checked holds: 1 check passed.\n"
    )


def test_what_another_failure_explains_is_told_below_it_and_counted_apart():
    cause = result("a.cause", Verdict.FAIL, offenders=(Offender("pod h/r-1 (registry-0 on n)", "x", "y"),))
    effect = result(
        "a.effect", Verdict.FAIL, builds_on=("a.cause",), offenders=(Offender("front door", "z", "w"),)
    )
    text = terminal.render(a_run(effect, cause), width=80, colour=False)
    assert "Harbor is wrong (1, and 1 as a consequence)" in text
    assert "    1 check failed as a consequence:\n      a.effect\n" in text
    assert "→ mend a.effect" not in text
    assert "2 checks failed, 1 of them as a consequence." in " ".join(text.split())


def test_one_message_about_many_objects_is_told_once_with_their_number():
    offenders = tuple(Offender(f"pod h/pull-{n}", "pulls", "ErrImagePull") for n in range(18))
    text = terminal.render(a_run(result("a.a", Verdict.FAIL, offenders=offenders)), width=80, colour=False)
    assert text.count("ErrImagePull") == 1
    assert "and 15 more: report.json has all" in text


def test_a_flaw_of_harbors_own_is_told_in_every_report_and_changes_no_verdict(tmp_path):
    flaw = "who logs out is signed in again"
    run = a_run(result("access.a", flaws=(flaw,)))
    told = f"{flaw} (access.a)"
    text = terminal.render(run, width=120, colour=False)
    assert terminal.OWN_FLAWS in text
    assert told in text
    assert "Everything that was checked holds: 1 check passed." in text
    assert told in markdown.text_of(run).replace("\\", "")
    assert told in html_file.document(run, tmp_path)
    json_file.write(run, tmp_path / "report.json")
    assert json_file.read(tmp_path / "report.json").flaws == [told]


def test_the_json_report_has_what_its_schema_says(tmp_path):
    run = a_run(result("storage.a"), FAILED, selected=["storage.a", "sessions.b", "x.y"])
    json_file.write(run, tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["schema"] == json_file.SCHEMA
    counts = {"pass": 1, "fail": 1, "advice": 0, "error": 0, "blocked": 0, "not applicable": 0, "not_run": 1}
    assert report["summary"] == counts
    assert report["duration_s"] == 30
    assert report["checks"][1]["offenders"][0]["object"] == "pod harbor/ui-rc-x1 (ui-0 on node-1)"
    assert report["checks"][1]["verdict"] == "fail"
    assert report["not_run"] == ["x.y"]
    documented = json_file.__doc__
    assert all(
        key in documented for key in (*report, *report["target"], *report["areas"][0], *report["checks"][0])
    )


def test_the_junit_report_tells_failures_from_errors(tmp_path):
    error = result("storage.e", Verdict.ERROR, message="CannotTell: \x1b[31mnothing\x00 there\nmore")
    skip = result("storage.s", Verdict.BLOCKED, message="needs a docker daemon")
    junit.write(a_run(result("storage.a"), FAILED, error, skip), tmp_path / "junit.xml")
    root = xml.parse(tmp_path / "junit.xml").getroot()
    counts = {s.get("name"): [s.get(k) for k in ("tests", "failures", "errors", "skipped")] for s in root}
    assert counts == {"storage": ["3", "0", "1", "1"], "sessions": ["1", "1", "0", "0"]}
    failed = root.find("testsuite[@name='sessions']/testcase")
    properties = {p.get("name"): p.get("value") for p in failed.iter("property")}
    assert properties["check"] == "sessions.b"
    assert properties["hint"] == "mend sessions.b"
    assert properties["outage_ms"] == "1234"
    assert properties["evidence"] == "checks/sessions.b/history.jsonl"
    assert "ui-1 on node-2" in failed.find("failure").text
    assert root.find(".//error").get("message").startswith("CannotTell")
    assert properties["severity"] == "must"
    assert properties["category"] == "fail"


def test_what_is_of_no_check_and_leaves_no_verdict_is_an_error_of_the_junit_report(tmp_path):
    run = a_run(
        result("storage.a"),
        selected=["storage.a", "storage.b", "storage.c"],
        left_behind=["project verify-1: 500"],
        stopped="it was interrupted",
    )
    junit.write(run, tmp_path / "junit.xml")
    suite = xml.parse(tmp_path / "junit.xml").getroot().find("testsuite[@name='run']")
    assert [suite.get(k) for k in ("tests", "failures", "errors", "skipped")] == ["3", "0", "3", "0"]
    told = {case.get("name"): case.find("error").get("message") for case in suite}
    assert told == {
        "run.stopped-before-its-end": "it was interrupted",
        "run.not-run": "storage.b, and 1 more",
        "run.left-behind": "project verify-1: 500",
    }
    assert suite.find("testcase[@name='run.not-run']/error").text == "storage.b\nstorage.c"


@pytest.mark.parametrize("strict", [False, True])
def test_advice_fails_a_junit_report_only_where_it_is_strict(tmp_path, strict):
    advised = result(
        "storage.a", Verdict.FAIL, severity=Severity.SHOULD, offenders=(Offender("pv x", "kept", "not"),)
    )
    junit.write(a_run(advised, strict=strict), tmp_path / "junit.xml")
    (suite,) = xml.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("failures") == ("1" if strict else "0")
    assert "pv x" in suite.find(f"testcase/{'failure' if strict else 'system-out'}").text


def test_latest_leads_to_the_newest_run_and_no_run_is_overwritten(tmp_path):
    first, second = folder.make(tmp_path, START), folder.make(tmp_path, START)
    assert first != second
    assert (tmp_path / "latest").resolve() == second
    assert first.name == "2026-11-24T02-30-15Z"
    folder.write(a_run(FAILED), second)
    assert {file.name for file in second.iterdir()} == {
        "report.json",
        "junit.xml",
        "summary.md",
        "report.html",
    }
