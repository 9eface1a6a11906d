"""report.json: a run for other programs.

schema        "harbor-verify/report/2"; a change that breaks readers counts the number up
id, started, finished (UTC, ISO 8601), duration_s, exit_code (0 holds, 1 does not, 2 interrupted)
strict        whether advice that is not followed makes the exit code 1
target        {provider, profile, url, namespace, found: [line, …]}
summary       {pass, fail, advice, error, blocked, not applicable, not_run}: counts by category
areas         [{area, category, pass, fail, advice, error, blocked, not applicable, duration_s}]
checks        [{id, area, claim, verdict, severity, category, builds_on: [id, …], caused_by: id or null, started,
              duration_s, message, offenders: [{object, expected, observed, uids: [UID, …]}], hint, source,
              measured: {name_with_unit: value}, listed: {subject: [row, …]}, evidence: [file, …],
              flaws: [sentence, …]}]
              verdict: pass, fail (Harbor is wrong), error (could not find out), blocked (something is missing where the
              suite runs), not applicable (this deployment has nothing it could be about); severity: must, should;
              category: the verdict, and advice for the failure of what only should be; caused_by: the failed check that
              explains this one; flaws: Harbor's own, that were met;
              evidence: relative to the run's folder; in checks/ID/ is all that belongs to one check
not_run       [id, …]: asked for, without a result
stopped       why the run ended before its end, as a sentence; empty: it did not
left_behind   [line, …]: what the run made and could not remove
environment   what was verified, key by key: harbor_verify/reports/environment.py
notes         [line, …]: what went wrong with the report itself

No secret is in it: docs/report.md says what is taken out, and what else lies in a run's folder.
"""

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from harbor_verify.reports import blame, whole
from harbor_verify.reports.errors import ReportError
from harbor_verify.reports.model import Category, CheckResult, Offender, Run, Severity, Verdict

SCHEMA = "harbor-verify/report/2"
_FIRST = "harbor-verify/report/1"
"""Runs that were kept before there was severity; \"skip\" was said of what was blocked."""


def write(run: Run, file: Path) -> None:
    """Write the run as JSON. Raises OSError."""
    whole.put(file, json.dumps(document(run), indent=2, ensure_ascii=False) + "\n")


def document(run: Run) -> dict[str, Any]:
    """The run in the form of this module's docstring."""
    causes = blame.causes(run.results)
    return {
        "schema": SCHEMA,
        "id": run.id,
        "started": _time(run.started),
        "finished": _time(run.finished),
        "duration_s": round(run.duration_s, 3),
        "exit_code": run.exit_code,
        "strict": run.strict,
        "target": {
            "provider": run.provider,
            "profile": run.profile,
            "url": run.url,
            "namespace": run.namespace,
            "found": run.target,
        },
        "summary": {**{c.value: run.count(c) for c in Category}, "not_run": len(run.not_run)},
        "areas": [
            {
                "area": area.area,
                "category": area.category.value,
                **{category.value: count for category, count in area.counts.items()},
                "duration_s": round(area.duration_s, 3),
            }
            for area in run.areas()
        ],
        "checks": [_check(result, causes.get(result.id)) for result in run.results],
        "not_run": run.not_run,
        "stopped": run.stopped,
        "left_behind": run.left_behind,
        "environment": run.environment,
        "notes": run.notes,
    }


def read(file: Path) -> Run:
    """The run that a report.json tells of. Raises ReportError when there is none, or it is something else."""
    try:
        return _run(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ReportError(
            f"{file.parent} has no {file.name}: it is no folder of a run, or the run was killed"
        ) from error
    except OSError as error:
        raise ReportError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{file} is no {SCHEMA}: {error!r}") from error


def _check(result: CheckResult, cause: str | None) -> dict[str, Any]:
    return {
        **dataclasses.asdict(result),
        "verdict": result.verdict.value,
        "severity": result.severity.value,
        "category": result.category.value,
        "caused_by": cause,
        "started": _time(result.started),
        "duration_s": round(result.duration_s, 3),
    }


def _run(run_document: dict[str, Any]) -> Run:
    if run_document["schema"] not in (SCHEMA, _FIRST):
        raise ValueError(f"schema {run_document['schema']}")
    target = run_document["target"]
    results = [_result(check) for check in run_document["checks"]]
    return Run(
        id=run_document["id"],
        started=datetime.fromisoformat(run_document["started"]),
        finished=datetime.fromisoformat(run_document["finished"]) if run_document["finished"] else None,
        exit_code=run_document["exit_code"],
        provider=target["provider"],
        url=target["url"],
        namespace=target["namespace"],
        profile=target["profile"],
        target=target["found"],
        selected=[result.id for result in results] + run_document["not_run"],
        results=results,
        strict=run_document.get("strict", False),
        # What came later than the first reports may be missing.
        left_behind=run_document["left_behind"],
        stopped=run_document.get("stopped", ""),
        environment=run_document.get("environment", {}),
        notes=run_document.get("notes", []),
    )


def _result(check_document: dict[str, Any]) -> CheckResult:
    return CheckResult(
        id=check_document["id"],
        area=check_document["area"],
        claim=check_document["claim"],
        hint=check_document["hint"],
        source=check_document["source"],
        verdict=Verdict.BLOCKED
        if check_document["verdict"] == "skip"
        else Verdict(check_document["verdict"]),
        started=datetime.fromisoformat(check_document["started"]),
        duration_s=check_document["duration_s"],
        offenders=tuple(
            Offender(each["object"], each["expected"], each["observed"], tuple(each.get("uids", ())))
            for each in check_document["offenders"]
        ),
        message=check_document["message"],
        measured=check_document["measured"],
        listed=check_document.get("listed", {}),
        evidence=tuple(check_document["evidence"]),
        severity=Severity(check_document.get("severity", "must")),
        builds_on=tuple(check_document.get("builds_on", ())),
        flaws=tuple(check_document.get("flaws", ())),
    )


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
