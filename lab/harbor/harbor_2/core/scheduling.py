"""Schedules as core has them: a row, an execution and a task, whose job is jobservice's policy; and what they start.

Raises JobserviceFailure, JobserviceRefusal.
"""

from typing import Any

from ... import log
from ..database import Database
from . import jobservice_client, running
from .jobservice_client import JobserviceFailure, JobserviceRefusal
from .records import executions, schedules
from .settings import Settings

SCHEDULER = "SCHEDULER"


def put(
    settings: Settings,
    database: Database,
    vendor_type: str,
    cron_type: str,
    cron: str,
    parameters: dict[str, Any],
) -> None:
    """In the place of the one that is there. What jobservice does not take is not written down, either."""
    remove(settings, database, vendor_type)
    schedule_id = schedules.add(database, vendor_type, cron_type, cron, parameters)
    execution_id, task_id = executions.start(database, SCHEDULER, parameters, vendor_id=schedule_id)
    job = {
        "name": SCHEDULER,
        "parameters": {},
        "status_hook": running.hook_of(settings, task_id),
        "metadata": {"kind": "Periodic", "cron_spec": cron, "unique": False},
    }
    try:
        job_id = jobservice_client.submit(settings, job)
    except (JobserviceFailure, JobserviceRefusal):
        executions.forget(database, execution_id)
        schedules.delete(database, schedule_id)
        raise
    executions.submitted(database, task_id, job_id)


def remove(settings: Settings, database: Database, vendor_type: str) -> None:
    """Jobservice takes all others of the same score away with it, and nobody is told."""
    schedule = schedules.get(database, vendor_type)
    if schedule is None:
        return
    for task in executions.tasks_of(database, SCHEDULER, schedule["id"]):
        jobservice_client.stop(settings, task["job_id"])
        executions.forget(database, task["execution_id"])
    schedules.delete(database, schedule["id"])


def fire(settings: Settings, database: Database, task_id: int, at_s: int) -> bool:
    """Start what a schedule is for, once for each moment; whether there is that schedule."""
    schedule = schedules.by_task(database, task_id)
    if schedule is None:
        return False
    if not schedules.advance(database, schedule["id"], at_s):
        log.warning(f"got no schedule record with ID {schedule['id']} and revision < {at_s}, ignore")
        return True
    running.start(
        settings,
        database,
        schedule["vendor_type"],
        dict(schedule["extra_attrs"] or {}),
        vendor_id=schedule["vendor_id"],
        trigger=executions.SCHEDULE,
    )
    return True
