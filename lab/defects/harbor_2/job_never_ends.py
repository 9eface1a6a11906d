"""A replication is said to run, and no worker is at it: its jobservice died, and Redis knows nothing of it."""

from lab.defects import Defect, Lab, executions

_JOB = "ef" * 12


def _begin(lab: Lab) -> None:
    _end(lab)
    lab.sql(
        f"""WITH begun AS (INSERT INTO execution (vendor_type, vendor_id, status, start_time)
                VALUES ('REPLICATION', 1, 'Running', now() AT TIME ZONE 'UTC' - interval '2 hours') RETURNING id)
            INSERT INTO task (execution_id, vendor_type, job_id, status, start_time, update_time)
                SELECT id, 'REPLICATION', '{_JOB}', 'Running', now() AT TIME ZONE 'UTC' - interval '2 hours',
                now() AT TIME ZONE 'UTC' - interval '2 hours' FROM begun"""
    )


def _end(lab: Lab) -> None:
    executions.forget(lab, _JOB)


DEFECT = Defect(
    report="recorded of v2.15.2: Running for 628 s after its jobservice was killed",
    shows="Running, for ever; a policy that runs once at a time does not run any more",
    turns_red=frozenset({"jobs.jobs-end"}),
    hint_says=("Stop it",),
    plant_outside=_begin,
    heal_outside=_end,
)
