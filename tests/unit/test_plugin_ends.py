"""How a run ends, whoever or whatever ends it: all is undone, the Lease is given back, and there is a report."""

import os
import signal
import time

import pytest

from tests.unit.local_server import LocalServer
from tests.unit.plugin_runs import Suite
from tests.unit.test_spans import Collector


@pytest.fixture
def suite(tmp_path):
    return Suite(tmp_path)


def test_what_cannot_be_removed_is_told_and_no_success(suite):
    suite.check("one", "pass", arguments="stuck")
    code, output = suite.run()
    assert code == 1
    assert "project stuck: it does not go" in output
    assert suite.report()["left_behind"] == [
        "project bug: KeyError: 'a bug'", "project stuck: it does not go"
    ]  # fmt: skip
    assert output.count("thing removed") == 2, "whatever fails, the rest is undone"
    assert "lease given back" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up_and_says_what_was_not_run(suite, number):
    suite.check("one", "open('begun', 'w').close(); time.sleep(60)", arguments="made")
    suite.check("two", "pass")
    child, shown = suite.start()
    suite.wait_for("begun")
    os.kill(child, number)
    code, output = suite.end(child, shown)
    assert code == 2
    assert "thing removed" in output
    assert "lease given back" in output
    assert suite.report()["not_run"] == ["unit.one", "unit.two"]
    assert suite.report()["exit_code"] == 2
    assert suite.report()["stopped"] == "it was interrupted"


@pytest.mark.parametrize(
    "flags, body, told",
    [
        (["--max-duration=1"], "time.sleep(60)", "its --max-duration of 1 s has passed"),
        ([], "lose(run_state.lease); time.sleep(60)", "the Lease was lost: thief has it"),
        ([], "run_state.stop.after_check('the outage was too long')", "the outage was too long"),
    ],
)
def test_a_run_that_is_stopped_cleans_up_and_says_why(suite, flags, body, told):
    suite.check("one", body, arguments="made, run_state")
    suite.check("two", "pass")
    suite.file.write_text(
        suite.file.read_text()
        + "\nimport threading\n\ndef lose(lease):\n"
        + "    threading.Thread(target=lease.on_lost, args=['the Lease was lost: thief has it']).start()\n"
    )
    began_s = time.monotonic()
    code, output = suite.run(*flags)
    assert time.monotonic() - began_s < 30
    assert code == 2
    assert "thing removed" in output
    assert "lease given back" in output
    assert f"Stopped before its end (1)\n  {told}" in output
    report = suite.report()
    assert report["stopped"] == told
    assert report["not_run"] == (["unit.two"] if "after_check" in body else ["unit.one", "unit.two"])
    assert [check["verdict"] for check in report["checks"]] == (["pass"] if "after_check" in body else [])


@pytest.mark.parametrize("error", ["KeyError('bug')", "KeyboardInterrupt()"])
def test_whatever_a_fixture_raises_at_the_end_the_rest_is_undone_and_reported(suite, error):
    suite.check("one", "open('begun', 'w').close(); time.sleep(60)", arguments="made, leaky")
    suite.file.write_text(
        suite.file.read_text()
        + f"\n@pytest.fixture(scope='session')\ndef leaky():\n    yield\n    raise {error}\n"
    )
    child, shown = suite.start()
    suite.wait_for("begun")
    os.kill(child, signal.SIGINT)
    _, output = suite.end(child, shown)
    assert "thing removed" in output
    assert "lease given back" in output
    assert suite.report()["not_run"] == ["unit.one"]


def test_a_clean_up_that_is_interrupted_leaves_the_rest_to_the_ledger_and_the_report_was_written(suite):
    suite.check("one", "pass", arguments="slow")
    suite.file.write_text(
        suite.file.read_text()
        + "\n@pytest.fixture\ndef slow(run_state):\n    run_state.target.ledger.made('project', 'slow')\n"
    )
    child, shown = suite.start()
    suite.wait_for("slow")
    assert suite.report()["summary"]["pass"] == 1, "it is written before anything is undone"
    os.kill(child, signal.SIGINT)
    code, output = suite.end(child, shown)
    assert code == 1
    assert "lease given back" in output
    told = "interrupted: what was not undone yet stands in ConfigMap harbor-verify-ledger"
    assert suite.report()["left_behind"] == [told]


@pytest.mark.parametrize("is_folder", [False, True])
def test_metrics_are_written_where_they_were_asked_for_and_what_keeps_them_from_it_is_told(suite, is_folder):
    suite.check("one", "pass")
    file = suite.folder / "harbor.prom"
    if is_folder:
        file.mkdir()
    code, output = suite.run("--metrics-file", str(file))
    assert code == 0, "it changes no verdict"
    assert is_folder or 'harbor_verify_checks{category="pass"} 1.0' in file.read_text()
    assert bool(suite.report()["notes"]) == is_folder
    assert ("The report is incomplete" in output) == is_folder


def test_spans_go_where_they_were_asked_for(suite):
    suite.check("one", "pass")
    with LocalServer(("127.0.0.1", 0), Collector).running() as server:
        server.taken, server.status = [], 200
        code, _ = suite.run("--otlp-endpoint", server.url)
    assert code == 0
    assert [path for path, _ in server.taken] == ["/v1/traces"]
    assert suite.report()["notes"] == []


def test_spans_that_nobody_takes_are_told_and_change_no_verdict(suite):
    suite.check("one", "pass")
    with LocalServer(("127.0.0.1", 0), Collector).running() as server:
        server.taken, server.status = [], 401
        code, output = suite.run("--otlp-endpoint", server.url)
    assert code == 0
    [note] = suite.report()["notes"]
    assert "were not taken by" in note
    assert "401" in note
    assert "The report is incomplete" in output
