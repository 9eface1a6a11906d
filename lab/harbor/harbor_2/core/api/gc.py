"""/api/v2.0/system/gc and /api/v2.0/system/purgeaudit: what runs by hand or by a schedule, and how it went"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ....web.response import Response, empty
from ...cron import Cron, CronError
from ...database import Row
from ...version import at_least
from .. import jobservice_client, running, scheduling
from ..documents import JSON, created, document
from ..errors import bad_request, not_found
from ..harbor import Call
from ..jobservice_client import JobserviceFailure, JobserviceRefusal
from ..records import executions, schedules
from ..records.executions import GARBAGE_COLLECTION
from ..records.moments import NEVER, moment
from . import bodies
from .guards import failed, require_administrator
from .paging import page_of, paged

_MOST_WORKERS = 10 if at_least(2, 13) else 5
_MANUAL, _NONE = "Manual", "None"
_CRON_TYPES = ("Hourly", "Daily", "Weekly", "Custom")
_EVENTS = "include_event_types" if at_least(2, 13) else "include_operations"
_REFRESH_S = int(os.environ.get("EXECUTION_STATUS_REFRESH_INTERVAL_SECONDS") or 30)


@dataclass(frozen=True)
class Kind:
    """One kind of what runs by itself. `require` raises Refused for parameters that it does not take."""

    vendor_type: str
    path: str
    words: str
    require: Callable[[dict[str, Any]], None]

    def history(self, call: Call) -> Response:
        require_administrator(call)
        page = page_of(call.request)
        rows, total = executions.listing(call.database, self.vendor_type, limit=page.size, offset=page.offset)
        return paged(
            call.request, page, [executions.document(row, refresh_s=_REFRESH_S) for row in rows], total
        )

    def get(self, call: Call) -> Response:
        return document(executions.document(self._execution(call), refresh_s=_REFRESH_S))

    def job_log(self, call: Call) -> Response:
        execution = self._execution(call)
        try:
            text = jobservice_client.log(call.harbor.settings, execution["job_id"] or "")
        except (JobserviceFailure, JobserviceRefusal) as failure:
            return failed(failure)
        if text is None:
            raise not_found(f"log of job {execution['job_id']} not found")
        return Response(200, text, [("Content-Type", "text/plain")])

    def schedule(self, call: Call) -> Response:
        require_administrator(call)
        found = schedules.get(call.database, self.vendor_type)
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
                    "next_scheduled_time": _next(found),
                    "type": found["cron_type"],
                },
                "update_time": moment(found["update_time"]),
            }
        )

    def create_schedule(self, call: Call) -> Response:
        """Run it now, or put down when it is to run."""
        require_administrator(call)
        kind, cron, parameters = self._asked(call)
        try:
            if kind == _MANUAL:
                execution_id = self._run(call, parameters)
                return created(f"{self.path}/{execution_id}")
            if kind != _NONE:
                self._put(call, kind, cron, parameters)
        except (JobserviceFailure, JobserviceRefusal) as failure:
            return failed(failure)
        return created(f"{self.path}/0")

    def change_schedule(self, call: Call) -> Response:
        require_administrator(call)
        kind, cron, parameters = self._asked(call)
        try:
            if kind == _MANUAL:
                self._run(call, parameters)
            elif kind == _NONE:
                scheduling.remove(call.harbor.settings, call.database, self.vendor_type)
            else:
                self._put(call, kind, cron, parameters)
        except (JobserviceFailure, JobserviceRefusal) as failure:
            return failed(failure)
        return empty()

    def _run(self, call: Call, parameters: dict[str, Any]) -> int:
        return running.start(call.harbor.settings, call.database, self.vendor_type, parameters)

    def _put(self, call: Call, kind: str, cron: str, parameters: dict[str, Any]) -> None:
        scheduling.put(call.harbor.settings, call.database, self.vendor_type, kind, cron, parameters)

    def _execution(self, call: Call) -> dict[str, Any]:
        require_administrator(call)
        execution_id = int(call.request.parameters["execution_id"])
        execution = executions.by_id(call.database, self.vendor_type, execution_id)
        if execution is None:
            raise not_found(f"{self.words} execution {execution_id} not found")
        return execution

    def _asked(self, call: Call) -> tuple[str, str, dict[str, Any]]:
        """Kind, cron and parameters."""
        body = bodies.sent(call, "schedule")
        asked = body.get("schedule")
        if not isinstance(asked, dict):
            raise bad_request("the schedule is needed")
        kind, cron = bodies.text(asked, "type"), bodies.text(asked, "cron")
        if kind not in (_MANUAL, _NONE, *_CRON_TYPES):
            raise bad_request(f"unsupported schedule type: {kind}")
        if kind in _CRON_TYPES:
            try:
                Cron(cron)
            except CronError:
                raise bad_request(f"invalid cron string for scheduled job: {cron}") from None
        parameters = body.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise bad_request("invalid parameters")
        self.require(parameters)
        return kind, cron, parameters


def _require_workers(parameters: dict[str, Any]) -> None:
    workers = parameters.get("workers", 1)
    if not isinstance(workers, int):
        raise bad_request("invalid parameters")
    if not 0 < workers <= _MOST_WORKERS:
        raise bad_request(
            f"Error: Invalid number of workers:{workers}. "
            f"Workers must be greater than 0 and less than or equal to {_MOST_WORKERS}."
        )


def _require_purge(parameters: dict[str, Any]) -> None:
    """To switch it off, too."""
    if not parameters:
        raise bad_request("bad request: schedule parameter cann't be empty")
    if not parameters.get(_EVENTS):
        raise bad_request(f"bad request: {_EVENTS} should provide")


def _next(schedule: Row) -> str:
    upcoming = next(Cron(schedule["cron"]).after(datetime.now(UTC)), None)
    return moment(upcoming) if upcoming else NEVER


GC = Kind(GARBAGE_COLLECTION, "/api/v2.0/system/gc", "garbage collection", _require_workers)
PURGE = Kind("PURGE_AUDIT_LOG", "/api/v2.0/system/purgeaudit", "purge audit", _require_purge)
