"""A run is sent as spans where an endpoint is given, and what sends them is imported only then."""

import subprocess
import sys
from datetime import timedelta

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harbor_verify.reports import spans
from harbor_verify.reports.model import Offender, Severity, Verdict
from tests.unit.local_server import LocalServer, QuietHandler
from tests.unit.test_reports import START, a_run, result

ERROR, OK, UNSET = 2, 1, 0
"""OTLP's numbers of a status."""


class Collector(QuietHandler):
    """Takes what it is sent, or refuses it with `server.status`."""

    def do_POST(self):
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()


@pytest.fixture
def collector():
    with LocalServer(("127.0.0.1", 0), Collector).running() as server:
        server.taken, server.status = [], 200
        yield server


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    return getattr(value, kind)


def attributes_of(thing):
    return {each.key: value_of(each.value) for each in thing.attributes}


def received(server):
    """The path, what sent it, and the spans by name, of the one request."""
    [(path, body)] = server.taken
    [of_resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    [of_scope] = of_resource.scope_spans
    return path, attributes_of(of_resource.resource), {span.name: span for span in of_scope.spans}


def test_a_run_and_each_of_its_checks_are_spans_of_one_trace(collector):
    cause = result(
        "storage.a", Verdict.FAIL, offenders=(Offender("PersistentVolumeClaim h/x", "Bound", "Pending"),)
    )
    follows = result(
        "registry.b",
        Verdict.FAIL,
        offenders=(Offender("Pod h/r", "an image", "none"),),
        builds_on=("storage.a",),
    )
    broken = result("failover.c", measured={"outage_ms": 812.5, "per_client": {"a": 1}, "lost": 0})
    run = a_run(
        cause,
        follows,
        broken,
        result("a.d", Verdict.BLOCKED, message="needs exec"),
        result("a.e", Verdict.ERROR, message="no answer"),
    )
    spans.send(run, collector.url)
    path, sender, by_name = received(collector)
    assert path == "/v1/traces"
    assert sender["service.name"] == "harbor-verify"
    whole = by_name.pop("harbor-verify run")
    assert attributes_of(whole) == {
        "harbor_verify.run.id": "r1",
        "harbor_verify.run.profile": "harbor-1.2",
        "harbor_verify.run.namespace": "harbor",
        "harbor_verify.run.url": "http://h",
        "harbor_verify.run.exit_code": 1,
    }
    assert whole.start_time_unix_nano == int(START.timestamp()) * 10**9
    assert whole.end_time_unix_nano - whole.start_time_unix_nano == int(run.duration_s * 10**9)
    assert {span.parent_span_id for span in by_name.values()} == {whole.span_id}
    assert {span.trace_id for span in by_name.values()} == {whole.trace_id}
    assert {name: span.status.code for name, span in by_name.items()} == {
        "storage.a": ERROR,
        "registry.b": ERROR,
        "failover.c": OK,
        "a.d": UNSET,
        "a.e": ERROR,
    }
    assert by_name["storage.a"].status.message == str(cause.offenders[0])
    assert by_name["a.e"].status.message == "no answer"
    told = attributes_of(by_name["registry.b"])
    assert told["harbor_verify.check.caused_by"] == "storage.a"
    assert told["harbor_verify.check.offenders"] == ["Pod h/r"]
    figures = {
        name: value for name, value in attributes_of(by_name["failover.c"]).items() if "measured" in name
    }
    assert figures == {"harbor_verify.measured.outage_ms": 812.5, "harbor_verify.measured.lost": 0}
    began = by_name["failover.c"].start_time_unix_nano
    assert began == int(broken.started.timestamp()) * 10**9
    assert by_name["failover.c"].end_time_unix_nano - began == int(broken.duration_s * 10**9)


@pytest.mark.parametrize("exit_code, stopped, status", [(0, "", OK), (2, "its Lease was lost", ERROR)])
def test_the_run_itself_has_a_status(collector, exit_code, stopped, status):
    run = a_run(result("a.b"), exit_code=exit_code, stopped=stopped, finished=START + timedelta(seconds=5))
    spans.send(run, f"{collector.url}/")
    path, _, by_name = received(collector)
    whole = by_name["harbor-verify run"]
    assert path == "/v1/traces"
    assert (whole.status.code, whole.status.message) == (status, stopped)


def test_advice_that_is_not_followed_is_told_with_its_category(collector):
    spans.send(a_run(result("a.b", Verdict.FAIL, severity=Severity.SHOULD)), collector.url)
    attributes = attributes_of(received(collector)[2]["a.b"])
    assert attributes["harbor_verify.check.category"] == "advice"
    assert attributes["harbor_verify.check.severity"] == "should"


def test_a_collector_that_refuses_is_told_with_its_status(collector):
    collector.status = 403
    with pytest.raises(OSError, match=r"not taken by http://127\.0\.0\.1:\d+/v1/traces: .*403"):
        spans.send(a_run(result("a.b")), collector.url)


def test_what_sends_spans_is_not_imported_before_it_is_asked_for():
    """(Where OpenTelemetry is installed, redis imports some of it for metrics that nobody asks for.)"""
    program = (
        "import sys, harbor_verify.plugin.run, harbor_verify.command;"
        "assert not {'opentelemetry.exporter', 'harbor_verify.reports.spans'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
