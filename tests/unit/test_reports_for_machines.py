"""What programs read of a run: metrics, a summary in Markdown, and report.json by its published schema."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from harbor_verify.reports import json_file, markdown, metrics_file
from harbor_verify.reports.model import Offender, Severity, Verdict
from tests.unit.test_reports import FAILED, a_run, result

REPOSITORY = Path(__file__).parents[2]
MONITORING = REPOSITORY / "deploy" / "monitoring"
ODD = result(
    "images.odd",
    Verdict.FAIL,
    severity=Severity.SHOULD,
    offenders=(Offender("Ingress a|b", "no `limit`", "100m | <b>"),),
)


def metrics_of(file):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(file.read_text())
        for sample in family.samples
    }


def run_of(exit_code, *results, day=24, **more):
    return a_run(*results, exit_code=exit_code, finished=datetime(2026, 11, day, 3, tzinfo=UTC), **more)


def test_verdicts_outages_and_losses_are_metrics(tmp_path):
    broken = result(
        "failover.web-pod-kill",
        measured={
            "outage_ms": 1234.0,
            "recovery_ms": 5000,
            "lost": 2,
            "sessions": 40,
            "whole": True,
            "w": "x",
        },
    )
    metrics_file.write(run_of(1, FAILED, broken, result("a.b", Verdict.BLOCKED)), tmp_path / "m" / "x.prom")
    metrics = metrics_of(tmp_path / "m" / "x.prom")
    of = ("check", "failover.web-pod-kill")
    assert metrics["harbor_verify_outage_seconds", of] == 1.234
    assert metrics["harbor_verify_recovery_seconds", of] == 5
    assert metrics["harbor_verify_lost", of, ("kind", "sessions")] == 2
    assert metrics["harbor_verify_measured", of, ("figure", "sessions")] == 40
    assert metrics["harbor_verify_checks", ("category", "blocked")] == 1
    assert metrics["harbor_verify_run_exit_code",] == 1
    told = [("area", "sessions"), ("category", "fail"), ("check", "sessions.b"), ("severity", "must")]
    assert metrics["harbor_verify_check", *told] == 1
    assert [file.name for file in (tmp_path / "m").iterdir()] == ["x.prom"], "nothing partial is left"


def test_when_all_held_last_outlives_a_run_that_does_not_hold(tmp_path):
    file, name = tmp_path / "x.prom", ("harbor_verify_last_success_timestamp_seconds",)
    metrics_file.write(run_of(1, FAILED, day=1), file)
    assert name not in metrics_of(file), "nobody knows of one"
    metrics_file.write(run_of(0, result("a.b"), day=2), file)
    held = metrics_of(file)[name]
    metrics_file.write(run_of(1, FAILED, day=3), file)
    assert metrics_of(file)[name] == held == datetime(2026, 11, 2, 3, tzinfo=UTC).timestamp()
    file.write_text("what is this {")
    metrics_file.write(run_of(1, FAILED, day=4), file)
    assert name not in metrics_of(file)


def test_a_file_that_cannot_be_written_is_an_error_and_the_one_before_stays(tmp_path):
    file = tmp_path / "x.prom"
    file.mkdir()
    with pytest.raises(IsADirectoryError):
        metrics_file.write(run_of(0, result("a.b")), file)
    assert [each.name for each in tmp_path.iterdir()] == ["x.prom"]


def test_alerts_and_dashboard_ask_for_metrics_that_there_are(tmp_path):
    everything = result("failover.a", measured={"outage_ms": 1, "recovery_ms": 1, "lost": 0, "sessions": 1})
    cause = result("sessions.a", Verdict.FAIL, offenders=FAILED.offenders)
    follows = result("sessions.b", Verdict.FAIL, offenders=FAILED.offenders, builds_on=("sessions.a",))
    metrics_file.write(run_of(0, everything, cause, follows), tmp_path / "x.prom")
    written = {name for name, *_ in metrics_of(tmp_path / "x.prom")}
    for file in ("alerts.yaml", "dashboard.json"):
        asked = set(re.findall(r"harbor_verify_\w+", (MONITORING / file).read_text()))
        assert asked
        assert asked <= written, file
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert all({"alert", "expr", "annotations"} <= rule.keys() for rule in rules)
    assert json.loads((MONITORING / "dashboard.json").read_text())["panels"]


def test_a_summary_in_markdown_tells_what_failed_and_what_to_do():
    text = markdown.text_of(run_of(1, result("storage.a"), FAILED, ODD))
    assert text.startswith("## This Harbor is not highly available: 1 check failed.")
    assert "| sessions |  | 1 |" in text
    assert "unknown (401)" in text
    assert "→ mend sessions.b" in text
    assert r"Ingress a\|b: expected no \`limit\`" in text, "nothing that is told becomes a table or HTML"
    assert r"\<b\>" in text


def test_a_summary_has_what_was_broken_what_is_a_consequence_and_what_was_not_run():
    broken = result("failover.a", measured={"outage_ms": 340.0})
    cause = result("sessions.a", Verdict.FAIL, offenders=FAILED.offenders)
    follows = result("sessions.b", Verdict.FAIL, offenders=FAILED.offenders, builds_on=("sessions.a",))
    run = run_of(1, broken, cause, follows, result("x.y", Verdict.BLOCKED, message="no docker"))
    run.selected.append("z.z")
    text = markdown.text_of(run)
    assert "| failover.a | 340 ms |" in text
    assert "As a consequence: sessions.b" in text
    assert "- no docker: x.y" in text
    assert "### Not run (1)" in text


@pytest.mark.parametrize("results", [(), (FAILED, ODD, result("a.b", Verdict.ERROR, message="m"))])
def test_report_json_is_as_its_schema_says(results):
    schema = json.loads((REPOSITORY / "docs" / "report.schema.json").read_text(), object_hook=closed)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json_file.document(run_of(1, *results))
    jsonschema.validate(json.loads(json.dumps(document)), schema)
    assert schema["$id"] == document["schema"]
    assert set(schema["properties"]) == document.keys()


def closed(schema):
    """A key that is new breaks no reader; one that the schema does not tell of is an oversight of ours."""
    known = schema.get("type") == "object" and "properties" in schema
    return {**schema, "additionalProperties": False} if known else schema
