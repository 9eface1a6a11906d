"""Which queues of jobs somebody has paused: what the API shows. What counts is in Redis, and may be another."""

from ...database import Database


def paused(database: Database) -> set[str]:
    return {row["job_type"] for row in database.rows("SELECT job_type FROM job_queue_status WHERE paused")}


def put(database: Database, job_type: str, is_paused: bool) -> None:
    database.change(
        """INSERT INTO job_queue_status (job_type, paused) VALUES (%s, %s)
            ON CONFLICT (job_type) DO UPDATE SET paused = EXCLUDED.paused, update_time = CURRENT_TIMESTAMP""",
        job_type,
        is_paused,
    )
