"""A run as spans of OpenTelemetry, sent to whoever collects traces; docs/report.md says what they hold.

Source: OpenTelemetry Protocol (OTLP/HTTP); the exporter's own variables (OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE …)
hold here, too.
"""

import logging
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from harbor_verify.reports import blame
from harbor_verify.reports.model import CheckResult, Run, Verdict

TIMEOUT_S = 10
"""For all attempts together."""
_NAME = "harbor-verify"
_WRONG = (Verdict.FAIL, Verdict.ERROR)


def send(run: Run, endpoint: str) -> None:
    """Post the run and its checks to ENDPOINT/v1/traces. Raises OSError when nobody takes them in `TIMEOUT_S`."""
    url = f"{endpoint.rstrip('/')}/v1/traces"
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    _draw(run, provider)
    exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_S)
    said = _Said()
    logger = logging.getLogger("opentelemetry.exporter")
    logger.addHandler(said)
    try:
        sent = exporter.export(kept.get_finished_spans())
    finally:
        logger.removeHandler(said)
        exporter.shutdown()
    if sent is not SpanExportResult.SUCCESS:
        raise OSError(f"the spans were not taken by {url}: {'; '.join(said.lines) or 'no reason was given'}")


def _resource() -> Resource:
    try:
        of_this = version(_NAME)
    except PackageNotFoundError:  # a checkout
        of_this = ""
    return Resource.create({"service.name": _NAME, "service.version": of_this})


def _draw(run: Run, provider: TracerProvider) -> None:
    """Make the spans: one of the run, and below it one for each check that has a result."""
    tracer = provider.get_tracer(_NAME)
    whole = tracer.start_span("harbor-verify run", start_time=_ns(run.started))
    attributes = {
        "id": run.id,
        "profile": run.profile,
        "namespace": run.namespace,
        "url": run.url,
        "exit_code": run.exit_code,
        "stopped": run.stopped,
    }
    _describe(whole, "run", attributes)
    whole.set_status(Status(StatusCode.ERROR, run.stopped) if run.exit_code else Status(StatusCode.OK))
    causes = blame.causes(run.results)
    for result in run.results:
        span = tracer.start_span(
            result.id, context=set_span_in_context(whole), start_time=_ns(result.started)
        )
        _tell(span, result, causes.get(result.id, ""))
        span.end(_ns(result.started + timedelta(seconds=result.duration_s)))
    whole.end(_ns(run.started + timedelta(seconds=run.duration_s)))


def _tell(span: Span, result: CheckResult, cause: str) -> None:
    attributes = {
        "id": result.id,
        "area": result.area,
        "severity": result.severity.value,
        "verdict": result.verdict.value,
        "category": result.category.value,
        "caused_by": cause,
        "offenders": [offender.object for offender in result.offenders],
    }
    _describe(span, "check", attributes)
    figures = {
        name: value for name, value in result.measured.items() if isinstance(value, bool | int | float | str)
    }
    _describe(span, "measured", figures)
    if result.verdict in _WRONG:
        told = "\n".join(map(str, (*result.offenders, *filter(None, [result.message]))))
        span.set_status(Status(StatusCode.ERROR, told))
    elif result.verdict is Verdict.PASS:
        span.set_status(Status(StatusCode.OK))


def _describe(span: Span, what: str, attributes: dict) -> None:
    """What is empty is left out."""
    span.set_attributes(
        {
            f"harbor_verify.{what}.{name}": value
            for name, value in attributes.items()
            if value not in (None, "", [])
        }
    )


def _ns(moment: datetime) -> int:
    """Nanoseconds since the epoch."""
    return int(moment.timestamp() * 1_000_000) * 1000


class _Said(logging.Handler):
    """What the exporter says of its failures, which it raises not."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
