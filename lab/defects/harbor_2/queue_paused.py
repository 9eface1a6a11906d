"""Somebody has paused the queue of replications, and forgotten it."""

from functools import partial

from lab.defects import Defect, Lab, jobs_in_redis

_QUEUE = "REPLICATION"


def pause(queue: str, lab: Lab) -> None:
    """As the API does it: what counts is in Redis, what is shown in the database."""
    jobs_in_redis.send("SET", jobs_in_redis.key("jobs", queue, "paused"), "1")
    lab.sql(
        f"""INSERT INTO job_queue_status (job_type, paused) VALUES ('{queue}', true)
            ON CONFLICT (job_type) DO UPDATE SET paused = true"""
    )


def resume(queue: str, lab: Lab) -> None:
    jobs_in_redis.send("DEL", jobs_in_redis.key("jobs", queue, "paused"))
    lab.sql(f"UPDATE job_queue_status SET paused = false WHERE job_type = '{queue}'")


DEFECT = Defect(
    report="Harbor: Job Service Dashboard, from 2.7 on",
    shows="replications wait, and nobody is told",
    turns_red=frozenset({"jobs.queues-not-paused"}),
    hint_says=("Resume",),
    plant_outside=partial(pause, _QUEUE),
    heal_outside=partial(resume, _QUEUE),
)
