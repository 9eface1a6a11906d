"""What changed from run to run, and the command that tells it."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from harbor_verify.reports import __main__ as command
from harbor_verify.reports import compare, compare_terminal, json_file, outage_table, runs, screen
from harbor_verify.reports.model import CheckResult, Offender, Run, Verdict

START = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
ENVIRONMENT = {
    "harbor": "v2.12.4",
    "workloads": [{"name": "harbor-core", "desired": 2, "ready": 2, "images": ["goharbor/core:v2.12.4"]}],
}


def result(id, verdict=Verdict.PASS, **given):
    given = {"claim": f"{id} holds.", "hint": "mend it", "source": "somewhere", "duration_s": 1.0, **given}
    return CheckResult(id=id, area=id.partition(".")[0], verdict=verdict, started=START, **given)


def a_run(*results, **given):
    given = {"id": "r", "started": START, "url": "http://h", "profile": "harbor-2", **given}
    run = Run(provider="lab", namespace="harbor", target=["Harbor: http://h"], results=list(results), **given)
    run.selected = [result.id for result in results]
    run.finished, run.exit_code = run.started + timedelta(seconds=9), 0
    return run


def kept(directory, run):
    """Write the run where runs are kept."""
    folder = directory / "runs" / run.started.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder.mkdir(parents=True)
    json_file.write(run, folder / "report.json")
    return folder


def test_a_run_is_read_back_as_it_was_written(tmp_path):
    offender = Offender("pod a/b", "Ready", "not <Ready>")
    failed = result("a.b", Verdict.FAIL, offenders=(offender,), measured={"outage_ms": 3.5}, evidence=("x",))
    run = a_run(failed, environment=ENVIRONMENT, notes=["n"])
    run.selected.append("a.d")
    json_file.write(run, tmp_path / "report.json")
    assert dataclasses.asdict(json_file.read(tmp_path / "report.json")) == dataclasses.asdict(run)


def test_what_is_worse_is_told_first_and_noise_is_not():
    before = a_run(
        result("f.a", measured={"outage_ms": 0.0, "recovery_ms": 1600.0, "pushes": 30}),
        result("f.b", Verdict.FAIL),
        result("f.c"),
        result("f.old"),
        environment=ENVIRONMENT,
    )
    newer = {
        **ENVIRONMENT,
        "workloads": [{**ENVIRONMENT["workloads"][0], "images": ["goharbor/core:v2.13.0"]}],
    }
    after = a_run(
        result("f.a", measured={"outage_ms": 900.0, "recovery_ms": 1750.0, "pushes": 44}),
        result("f.b"),
        result("f.c", Verdict.ERROR),
        result("f.new"),
        environment=newer,
    )
    found = compare.compare(before, after)
    assert [(each.id, each.tendency) for each in found.judged] == [("f.c", "worse"), ("f.b", "better")]
    assert [(each.name, each.tendency) for each in found.moved] == [("outage_ms", "worse")]
    assert found.steady_count == 1
    assert [each.name for each in found.facts] == ["images of harbor-core"]
    assert [each.id for each in found.only_before + found.only_after] == ["f.old", "f.new"]
    text = compare_terminal.render(found, width=80, colour=False)
    assert "goharbor/core:v2.13.0" in text
    assert "2 worse, 1 better; 1 figures are within the usual noise." in text
    assert json.loads(json.dumps(compare.document(found)))["verdicts"][0]["after"] == "pass"


def test_a_rate_that_falls_is_worse_and_a_check_that_is_skipped_now_is_neither():
    before = a_run(result("r.a", measured={"push_mib_per_s": 80.0}), result("r.b"))
    after = a_run(result("r.a", measured={"push_mib_per_s": 20.0}), result("r.b", Verdict.BLOCKED))
    found = compare.compare(before, after)
    assert [each.tendency for each in found.moved] == ["worse"]
    assert [each.tendency for each in found.judged] == ["changed"]


def test_equal_runs_have_nothing_to_tell():
    assert (
        compare_terminal.conclusion(compare.compare(a_run(result("a.b")), a_run(result("a.b"))))
        == "Nothing changed."
    )


def test_earlier_runs_are_those_of_the_same_harbor_with_checks_in_common(tmp_path):
    checks = [result("a.a"), result("a.b")]
    day = timedelta(days=1)
    kept(tmp_path, a_run(*checks, id="same", started=START - 5 * day))
    kept(tmp_path, a_run(*checks, id="elsewhere", started=START - 4 * day, url="http://other"))
    kept(tmp_path, a_run(result("z.z"), id="other checks", started=START - 3 * day))
    (tmp_path / "runs" / "2026-11-22T00-00-00Z").mkdir()
    (kept(tmp_path, a_run(*checks, started=START - day)) / "report.json").write_text("{")
    run = a_run(*checks)
    folder = kept(tmp_path, run)
    kept(tmp_path, a_run(*checks, id="later", started=START + day))
    assert [each.id for each in runs.earlier(run, folder, at_most=5)] == ["same"]


def test_what_a_check_measured_earlier_is_told_once_a_day(tmp_path):
    def measured(days, value, **given):
        at = START - timedelta(days=days)
        run = a_run(result("a.a", measured={"used_bytes": value}), started=at, id=str(days), **given)
        return kept(tmp_path, run)

    for days, value in ((3.0, 10), (2.0, 20), (1.02, 25), (1.0, 30)):
        measured(days, value)
    measured(0.5, 99, url="http://other")
    folder = measured(0, 40)
    looks = runs.measured_earlier(a_run(result("a.b")), folder, "a.a", days=30)
    assert [told["used_bytes"] for _, told in looks] == [30, 20, 10]
    assert len(runs.measured_earlier(a_run(), folder, "a.a", days=2)) == 2


def test_runs_are_compared_by_name_path_or_latest(tmp_path, capsys):
    older = kept(tmp_path, a_run(result("a.b"), started=START - timedelta(days=1)))
    newer = kept(tmp_path, a_run(result("a.b", Verdict.FAIL)))
    (tmp_path / "latest").symlink_to(newer)
    place = ["--report-dir", str(tmp_path)]
    assert command.main(["compare", older.name, "latest", *place]) == 0
    assert "a.b" in capsys.readouterr().out
    assert command.main(["compare", str(older), newer.name, "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["verdicts"][0]["tendency"] == "worse"
    assert command.main(["list", *place]) == 0
    assert newer.name in capsys.readouterr().out


@pytest.mark.parametrize("words", [["compare", "x", "latest"], ["html", "no-such-run"], ["html", "broken"]])
def test_bad_input_is_one_sentence_and_code_2(tmp_path, capsys, words):
    (tmp_path / "runs" / "broken").mkdir(parents=True)
    assert command.main([*words, "--report-dir", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert words[1] in told.err


def test_outages_stand_in_a_table_on_the_terminal():
    measured = {
        "outage_ms": 340.2,
        "failed": 3,
        "flapping_percent": 33.3,
        "bad_time_ms": 2100.0,
        "recovery_ms": 1637.4,
        "slowest_ok_ms": 600.0,
    }
    table = outage_table.table(a_run(result("failover.web-pod-kill", Verdict.FAIL, measured=measured)))
    console = screen.new(width=100, colour=False)
    console.print(table)
    *heading, row = screen.text_of(console).strip().splitlines()
    assert "slowest" in heading[0]
    assert "lost" not in "".join(heading)
    assert row.startswith("web-pod-kill ")
    assert "340 ms" in row
    assert "33.3 %" in row
    assert "2100 ms" in row
    assert outage_table.table(a_run(result("storage.a"))) is None


def test_a_row_is_one_line_of_a_terminal_of_80_columns_where_all_is_green_and_else_broken_at_a_hyphen():
    measured = {
        "outage_ms": 11_900.0,
        "failed": 3,
        "flapping_percent": 33.3,
        "bad_time_ms": 12_100.0,
        "last_bad_ms": 1637.4,
        "recovery_ms": 1637.4,
        "slowest_ok_ms": 7600.0,
        "lost": 0,
    }
    console = screen.new(width=80, colour=False)
    console.print(outage_table.table(a_run(result("failover.session-store-blackhole", measured=measured))))
    *_, row = screen.text_of(console).strip().splitlines()
    assert row.split() == ["session-store-blackhole", "11.9", "s", "3", "7600", "ms", "1637", "ms", "0"]
    red = result("failover.session-store-blackhole", Verdict.FAIL, measured=measured)
    console = screen.new(width=80, colour=False)
    console.print(outage_table.table(a_run(red)))
    *_, row, rest = screen.text_of(console).strip().splitlines()
    assert [row.split()[0], rest.split()] == ["session-store-", ["blackhole"]]


def test_what_was_lost_is_one_figure_on_the_terminal_and_long_times_are_seconds():
    measured = {"outage_ms": 15_340.2, "lost": 2, "pushes_lost": 0, "writes_lost": 3}
    console = screen.new(width=80, colour=False)
    console.print(outage_table.table(a_run(result("failover.web-pod-kill", measured=measured))))
    heading, row = screen.text_of(console).strip().splitlines()
    assert heading.split() == ["disruption", "outage", "lost"]
    assert row.split() == ["web-pod-kill", "15.3", "s", "5"]
