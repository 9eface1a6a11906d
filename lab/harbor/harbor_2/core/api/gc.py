"""/api/v2.0/system/gc, /api/v2.0/schedules, /api/v2.0/jobservice, and what jobservice reports"""

import hashlib
import json
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .... import log
from ....web.response import Response, empty
from ...version import at_least
from .. import jobservice_client
from ..documents import JSON, created, document
from ..errors import bad_request, error, forbidden, not_found
from ..harbor import Call
from ..jobservice_client import JobserviceFailure, JobserviceRefusal
from ..records import executions, schedules
from ..records.executions import GARBAGE_COLLECTION
from ..records.moments import moment
from . import bodies
from .guards import require_administrator
from .paging import page_of, paged

_TIME_WINDOW_HOURS = 2
_MOST_WORKERS = 10 if at_least(2, 13) else 5
_MANUAL, _NONE = "Manual", "None"
_CRON_TYPES = ("Hourly", "Daily", "Weekly", "Custom")
_JOB_TYPES = (
    "AUDIT_LOGS_GDPR_COMPLIANT",
    "EXECUTION_SWEEP",
    GARBAGE_COLLECTION,
    "IMAGE_SCAN",
    "P2P_PREHEAT",
    "PURGE_AUDIT_LOG",
    "REPLICATION",
    "RETENTION",
    "SCAN_DATA_EXPORT",
    "SCHEDULER",
    "SLACK",
    "SYSTEM_ARTIFACT_CLEANUP",
    "WEBHOOK",
)
_REFRESH_S = int(os.environ.get("EXECUTION_STATUS_REFRESH_INTERVAL_SECONDS") or 30)


def history(call: Call) -> Response:
    require_administrator(call)
    page = page_of(call.request)
    rows, total = executions.listing(call.database, GARBAGE_COLLECTION, limit=page.size, offset=page.offset)
    return paged(call.request, page, [executions.document(row, refresh_s=_REFRESH_S) for row in rows], total)


def get(call: Call) -> Response:
    return document(executions.document(_execution(call), refresh_s=_REFRESH_S))


def job_log(call: Call) -> Response:
    execution = _execution(call)
    try:
        text = jobservice_client.log(call.harbor.settings, execution["job_id"] or "")
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return _failed(failure)
    if text is None:
        raise not_found(f"log of job {execution['job_id']} not found")
    return Response(200, text, [("Content-Type", "text/plain")])


def schedule(call: Call) -> Response:
    require_administrator(call)
    found = schedules.get(call.database, GARBAGE_COLLECTION)
    if found is None:
        return Response(200, b"", [JSON])
    return document(
        {
            "creation_time": moment(found["creation_time"]),
            "id": found["id"],
            "job_kind": found["cron"],
            "job_parameters": json.dumps(found["extra_attrs"], sort_keys=True, separators=(",", ":")),
            "job_status": executions.RUNNING,
            "schedule": {
                "cron": found["cron"],
                "next_scheduled_time": _next(found["cron_type"]),
                "type": found["cron_type"],
            },
            "update_time": moment(found["update_time"]),
        }
    )


def create_schedule(call: Call) -> Response:
    """Run it now, or put down when it is to run."""
    require_administrator(call)
    kind, cron, parameters = _asked(call)
    if kind == _MANUAL:
        return _run(call, parameters)
    if kind != _NONE:
        schedules.put(call.database, GARBAGE_COLLECTION, kind, cron, parameters)
    return created("/api/v2.0/system/gc/0")


def change_schedule(call: Call) -> Response:
    require_administrator(call)
    kind, cron, parameters = _asked(call)
    if kind == _MANUAL:
        started = _run(call, parameters)
        return empty() if started.status == 201 else started
    if kind == _NONE:
        schedules.delete(call.database, GARBAGE_COLLECTION)
    else:
        schedules.put(call.database, GARBAGE_COLLECTION, kind, cron, parameters)
    return empty()


def all_schedules(call: Call) -> Response:
    require_administrator(call)
    page, rows = page_of(call.request), schedules.listing(call.database)
    chosen = rows[page.offset : page.offset + page.size]
    return paged(call.request, page, [schedules.document(row) for row in chosen], len(rows))


def queues(call: Call) -> Response:
    require_administrator(call)
    try:
        jobservice_client.stats(call.harbor.settings)
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return _failed(failure)
    return document([{"job_type": kind, "paused": False} for kind in _JOB_TYPES])


def pools(call: Call) -> Response:
    require_administrator(call)
    try:
        found = jobservice_client.stats(call.harbor.settings)["worker_pools"]
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return _failed(failure)
    return document(
        [
            {
                "concurrency": pool["concurrency"],
                "heartbeat_at": _second(pool["heartbeat_at"]),
                "pid": pool.get("pid", 1),
                "start_at": _second(pool["started_at"]),
                "worker_pool_id": pool["worker_pool_id"],
            }
            for pool in found
        ]
    )


def workers(call: Call) -> Response:
    require_administrator(call)
    asked = call.request.parameters["pool"]
    try:
        found = jobservice_client.stats(call.harbor.settings)["worker_pools"]
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return _failed(failure)
    return document(
        [
            {"id": hashlib.sha256(f"{asked} {number}".encode()).hexdigest()[:24], "pool_id": asked}
            for pool in found
            if pool["worker_pool_id"] == asked
            for number in range(pool["concurrency"])
        ]
    )


def reported(call: Call) -> Response:
    """POST /service/notifications/tasks/{task_id}: jobservice tells how far a task is."""
    if call.caller is None or not call.caller.is_program:
        raise forbidden()
    body = bodies.sent(call, "status")
    result = json.loads(bodies.text(body, "check_in") or "{}")
    known = executions.report(
        call.database,
        int(call.request.parameters["task_id"]),
        bodies.text(body, "job_id"),
        bodies.text(body, "status"),
        result,
    )
    return empty() if known else error(404, "NOT_FOUND", "no such task")


def _run(call: Call, asked: dict[str, Any]) -> Response:
    settings = call.harbor.settings
    parameters = {
        **({"delete_tag": bool(asked.get("delete_tag"))} if at_least(2, 15) else {}),
        "delete_untagged": bool(asked.get("delete_untagged")),
        "dry_run": bool(asked.get("dry_run")),
        "redis_url_reg": settings.registry_redis_url,
        "time_window": _TIME_WINDOW_HOURS,
        "workers": asked.get("workers") or 1,
    }
    execution_id, task_id = executions.start(call.database, GARBAGE_COLLECTION, parameters)
    job = {
        "name": GARBAGE_COLLECTION,
        "parameters": parameters,
        "status_hook": f"{settings.core_url}/service/notifications/tasks/{task_id}",
        "metadata": {"kind": "Generic", "unique": False},
    }
    try:
        job_id = jobservice_client.submit(settings, job)
    except (JobserviceFailure, JobserviceRefusal) as failure:
        executions.forget(call.database, execution_id)
        return _failed(failure)
    executions.submitted(call.database, task_id, job_id)
    return created(f"/api/v2.0/system/gc/{execution_id}")


def _failed(failure: Exception) -> Response:
    """Core passes a refusal on, as if it were the caller who is unknown."""
    log.error(f"jobservice: {failure}")
    if isinstance(failure, JobserviceRefusal):
        return error(401, "UNAUTHORIZED", str(failure))
    return error(500, "UNKNOWN", "internal server error")


def _execution(call: Call) -> dict[str, Any]:
    require_administrator(call)
    execution_id = int(call.request.parameters["execution_id"])
    execution = executions.by_id(call.database, GARBAGE_COLLECTION, execution_id)
    if execution is None:
        raise not_found(f"garbage collection execution {execution_id} not found")
    return execution


def _asked(call: Call) -> tuple[str, str, dict[str, Any]]:
    """Kind, cron and parameters."""
    body = bodies.sent(call, "schedule")
    asked = body.get("schedule")
    if not isinstance(asked, dict):
        raise bad_request("the schedule is needed")
    kind, cron = bodies.text(asked, "type"), bodies.text(asked, "cron")
    if kind not in (_MANUAL, _NONE, *_CRON_TYPES):
        raise bad_request(f"unsupported schedule type: {kind}")
    if kind in _CRON_TYPES and not re.fullmatch(r"\S+( \S+){5}", cron):
        raise bad_request(f"invalid cron string for scheduled job: {cron}")
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict) or not isinstance(parameters.get("workers", 1), int):
        raise bad_request("invalid parameters")
    if not 0 < (workers := parameters.get("workers", 1)) <= _MOST_WORKERS:
        raise bad_request(
            f"Error: Invalid number of workers:{workers}. "
            f"Workers must be greater than 0 and less than or equal to {_MOST_WORKERS}."
        )
    return kind, cron, parameters


def _next(cron_type: str) -> str:
    """When it would run, were it run: at the next full hour, midnight or Sunday."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    midnight = now.replace(hour=0) + timedelta(days=1)
    if cron_type == "Hourly":
        return moment(now + timedelta(hours=1))
    if cron_type == "Weekly":
        return moment(midnight + timedelta(days=6 - midnight.weekday()))
    return moment(midnight)


def _second(seconds: int) -> str:
    return moment(datetime.fromtimestamp(seconds, UTC))
