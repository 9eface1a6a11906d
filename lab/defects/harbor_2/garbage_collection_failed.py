"""The last garbage collection failed, at night, and nobody looked."""

from lab.defects import Defect, Lab, executions

_JOB = "ba" * 12


def _fail(lab: Lab) -> None:
    _forget(lab)
    lab.sql(
        f"""WITH failed AS (INSERT INTO execution
                (vendor_type, status, trigger, extra_attrs, start_time, end_time, update_time)
                VALUES ('GARBAGE_COLLECTION', 'Error', 'SCHEDULE', '{{"dry_run": false, "workers": 1}}',
                now() AT TIME ZONE 'UTC' - interval '8 hours', now() AT TIME ZONE 'UTC' - interval '7 hours',
                now() AT TIME ZONE 'UTC' - interval '7 hours') RETURNING id)
            INSERT INTO task (execution_id, vendor_type, job_id, status, end_time)
                SELECT id, 'GARBAGE_COLLECTION', '{_JOB}', 'Error', now() AT TIME ZONE 'UTC' - interval '7 hours'
                FROM failed"""
    )


def _forget(lab: Lab) -> None:
    executions.forget(lab, _JOB)


DEFECT = Defect(
    report="garbage collections that fail each night are seen when the disk is full",
    shows="what people delete frees nothing",
    turns_red=frozenset({"jobs.garbage-collected"}),
    hint_says=("Clean Up",),
    plant_outside=_fail,
    heal_outside=_forget,
    takes=frozenset({executions.COLLECTIONS}),
)
