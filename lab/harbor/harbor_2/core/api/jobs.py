"""/api/v2.0/schedules, /api/v2.0/jobservice, and what jobservice reports"""

import json
from datetime import UTC, datetime
from typing import Any

from ....web.response import Response, empty
from .. import jobservice_client, scheduling
from ..documents import document
from ..errors import bad_request, error, forbidden
from ..harbor import Call
from ..jobservice_client import JobserviceFailure, JobserviceRefusal
from ..records import executions, queue_states, schedules
from ..records.moments import moment
from . import bodies
from .guards import failed, require_administrator
from .paging import page_of, paged

_NOT_SHOWN = frozenset({"DEMO", "IMAGE_GC", "IMAGE_REPLICATE", "IMAGE_SCAN_ALL"})
_ALL = "all"


def all_schedules(call: Call) -> Response:
    require_administrator(call)
    page, rows = page_of(call.request), schedules.listing(call.database)
    chosen = rows[page.offset : page.offset + page.size]
    return paged(call.request, page, [schedules.document(row) for row in chosen], len(rows))


def scheduler_paused(call: Call) -> Response:
    """Whether schedules are paused: the queue of their slots is."""
    require_administrator(call)
    return document({"paused": scheduling.SCHEDULER in queue_states.paused(call.database)})


def queues(call: Call) -> Response:
    """Counted in Redis; whether one is paused, the database says."""
    require_administrator(call)
    try:
        with jobservice_client.jobs(call.harbor.settings) as jobs:
            found = [queue for queue in jobs.queues() if queue.name not in _NOT_SHOWN]
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return failed(failure)
    paused = queue_states.paused(call.database)
    return document(
        [
            {
                **({"count": queue.count} if queue.count else {}),
                "job_type": queue.name,
                **({"latency": queue.latency_s} if queue.latency_s else {}),
                "paused": queue.name in paused,
            }
            for queue in found
        ]
    )


def act_on_queue(call: Call) -> Response:
    """PUT /api/v2.0/jobservice/queues/{queue}: pause, resume."""
    require_administrator(call)
    action = bodies.text(bodies.sent(call, "action_request"), "action").lower()
    if action not in ("pause", "resume"):
        raise bad_request("the action is not supported")
    asked, is_paused = call.request.parameters["queue"].upper(), action == "pause"
    try:
        with jobservice_client.jobs(call.harbor.settings) as jobs:
            names = [queue.name for queue in jobs.queues()] if asked == _ALL.upper() else [asked]
            for name in names:
                jobs.pause(name, is_paused)
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return failed(failure)
    for name in names:
        queue_states.put(call.database, name, is_paused)
    return empty()


def pools(call: Call) -> Response:
    require_administrator(call)
    try:
        with jobservice_client.jobs(call.harbor.settings) as jobs:
            found = jobs.pools()
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return failed(failure)
    return document(
        [
            {
                "concurrency": pool.concurrency,
                "heartbeat_at": _second(pool.heartbeat_at),
                "pid": pool.pid,
                "start_at": _second(pool.started_at),
                "worker_pool_id": pool.id,
            }
            for pool in found
        ]
    )


def workers(call: Call) -> Response:
    """Those of one pool, or of all; what each is at."""
    require_administrator(call)
    asked = call.request.parameters["pool"]
    try:
        with jobservice_client.jobs(call.harbor.settings) as jobs:
            found = [
                _worker(worker, pool.id, jobs.work_of(worker))
                for pool in jobs.pools()
                if asked in (_ALL, pool.id)
                for worker in sorted(pool.worker_ids)
            ]
    except (JobserviceFailure, JobserviceRefusal) as failure:
        return failed(failure)
    return document(found)


def reported(call: Call) -> Response:
    """POST /service/notifications/tasks/{task_id}: jobservice tells how far a task is, or that a schedule fires."""
    if call.caller is None or not call.caller.is_program:
        raise forbidden()
    body, task_id = bodies.sent(call, "status"), int(call.request.parameters["task_id"])
    fires_at = (body.get("metadata") or {}).get("check_in_at")
    if fires_at:
        try:
            known = scheduling.fire(call.harbor.settings, call.database, task_id, int(fires_at))
        except (JobserviceFailure, JobserviceRefusal) as failure:
            return failed(failure)
    else:
        known = executions.report(
            call.database,
            task_id,
            bodies.text(body, "job_id"),
            bodies.text(body, "status"),
            json.loads(bodies.text(body, "check_in") or "{}"),
        )
    return empty() if known else error(404, "NOT_FOUND", "no such task")


def _worker(id: str, pool_id: str, work: dict[str, str]) -> dict[str, Any]:
    if not work:
        return {"id": id, "pool_id": pool_id}
    began = _second(int(work["started_at"]))
    return {
        "id": id,
        "job_id": work["job_id"],
        "job_name": work["job_name"],
        "pool_id": pool_id,
        "start_at": began,
    }


def _second(seconds: int) -> str:
    return moment(datetime.fromtimestamp(seconds, UTC))
