"""Runs of jobs: an execution and its task in the database, and the job that jobservice makes of it.

Raises JobserviceFailure, JobserviceRefusal; what was not taken on leaves no trace.
"""

import os
from typing import Any

from ..database import Database
from ..version import at_least
from . import jobservice_client
from .jobservice_client import JobserviceFailure, JobserviceRefusal
from .records import executions
from .records.executions import GARBAGE_COLLECTION
from .settings import Settings

TIME_WINDOW_HOURS = int(os.environ.get("GC_TIME_WINDOW_HOURS") or 2)


def start(
    settings: Settings,
    database: Database,
    vendor_type: str,
    asked: dict[str, Any],
    *,
    vendor_id: int = -1,
    trigger: str = executions.MANUAL,
) -> int:
    """Have a job of this kind run with what somebody, or a schedule, asked for; the execution's id."""
    parameters = _parameters(settings, vendor_type, asked)
    execution_id, task_id = executions.start(
        database, vendor_type, parameters, vendor_id=vendor_id, trigger=trigger
    )
    job = {
        "name": vendor_type,
        "parameters": parameters,
        "status_hook": hook_of(settings, task_id),
        "metadata": {"kind": "Generic", "unique": False},
    }
    try:
        job_id = jobservice_client.submit(settings, job)
    except (JobserviceFailure, JobserviceRefusal):
        executions.forget(database, execution_id)
        raise
    executions.submitted(database, task_id, job_id)
    return execution_id


def hook_of(settings: Settings, task_id: int) -> str:
    """Where jobservice tells how far a task is."""
    return f"{settings.core_url}/service/notifications/tasks/{task_id}"


def _parameters(settings: Settings, vendor_type: str, asked: dict[str, Any]) -> dict[str, Any]:
    if vendor_type != GARBAGE_COLLECTION:
        return asked
    return {
        **({"delete_tag": bool(asked.get("delete_tag"))} if at_least(2, 15) else {}),
        "delete_untagged": bool(asked.get("delete_untagged")),
        "dry_run": bool(asked.get("dry_run")),
        "redis_url_reg": settings.registry_redis_url,
        "time_window": TIME_WINDOW_HOURS,
        "workers": asked.get("workers") or 1,
    }
