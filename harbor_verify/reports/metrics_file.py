"""A run as metrics, for Prometheus to collect from a file; docs/report.md says which there are.

Source: Prometheus, text exposition format; node-exporter, textfile collector.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from harbor_verify.reports import blame
from harbor_verify.reports.model import Category, Run

_LAST_SUCCESS = "harbor_verify_last_success_timestamp_seconds"
_SECONDS = {"outage_ms": "outage", "recovery_ms": "recovery"}
_LOST = {"accounts_lost": "accounts", "lost": "sessions", "pushes_lost": "pushes", "writes_lost": "writes"}


def write(run: Run, file: Path) -> None:
    """Put the run's metrics in the place of those that are there. No reader sees half of them. Raises OSError."""
    content = generate_latest(_metrics(run, _last_success_s(run, file)))
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            # Others read it, as they read what node-exporter is given: no secret is in it.
            os.fchmod(opened.fileno(), 0o644)
        Path(partial).replace(file)
    except OSError:
        with suppress(OSError):
            Path(partial).unlink()
        raise


def _metrics(run: Run, last_success_s: float | None) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, help: str, *labels: str) -> Gauge:
        return Gauge(f"harbor_verify_{name}", help, labels, registry=registry)

    about = gauge("run_info", "What was verified.", "id", "profile", "namespace", "url")
    about.labels(run.id, run.profile, run.namespace, run.url).set(1)
    gauge("run_duration_seconds", "How long the run took.").set(run.duration_s)
    if run.finished is not None:
        gauge("run_finished_timestamp_seconds", "When the run ended.").set(run.finished.timestamp())
    if run.exit_code is not None:
        gauge("run_exit_code", "0 holds, 1 does not, 2 interrupted.").set(run.exit_code)
    if last_success_s is not None:
        success = gauge("last_success_timestamp_seconds", "When the newest run with exit code 0 ended.")
        success.set(last_success_s)
    count = gauge("checks", "How many checks came to this.", "category")
    for category in Category:
        count.labels(category.value).set(run.count(category))
    check = gauge("check", "What each check came to.", "check", "area", "severity", "category")
    duration = gauge("check_duration_seconds", "How long each check took.", "check")
    for result in run.results:
        check.labels(result.id, result.area, result.severity.value, result.category.value).set(1)
        duration.labels(result.id).set(result.duration_s)
    because = gauge("check_cause", "Which failed check explains which.", "check", "cause")
    for id, cause in blame.causes(run.results).items():
        because.labels(id, cause).set(1)
    seconds = {
        figure: gauge(f"{word}_seconds", f"The longest {word} of what was broken on purpose.", "check")
        for figure, word in _SECONDS.items()
    }
    lost = gauge("lost", "What was acknowledged and is gone.", "check", "kind")
    measured = gauge(
        "measured", "What a check measured, in the unit of the figure's name.", "check", "figure"
    )
    for result in run.results:
        for figure, value in result.measured.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if figure in _SECONDS:
                seconds[figure].labels(result.id).set(value / 1000)
            elif figure in _LOST:
                lost.labels(result.id, _LOST[figure]).set(value)
            else:
                measured.labels(result.id, figure).set(value)
    return registry


def _last_success_s(run: Run, file: Path) -> float | None:
    """When the newest run without a failure ended, this one or one that was told of in the file."""
    if run.exit_code == 0 and run.finished is not None:
        return run.finished.timestamp()
    try:
        for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
            for sample in family.samples:
                if sample.name == _LAST_SUCCESS:
                    return float(sample.value)
    except (OSError, ValueError):
        return None
    return None
