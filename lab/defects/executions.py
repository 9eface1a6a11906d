"""Executions that Harbor 2.x's database is made to know, each of one task."""

from lab.defects import Lab

COLLECTIONS = "collections of garbage"
"""What a defect takes that runs one, or is about what became of the newest."""


def forget(lab: Lab, job: str) -> None:
    """Remove the task of this job and its execution; nothing where they are not there."""
    lab.sql(
        f"""CREATE TEMPORARY TABLE gone AS SELECT execution_id FROM task WHERE job_id = '{job}';
        DELETE FROM task WHERE job_id = '{job}';
        DELETE FROM execution WHERE id IN (SELECT execution_id FROM gone)"""
    )
