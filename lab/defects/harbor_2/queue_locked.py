"""The lock of a kind of job of which one runs at a time is held by a jobservice that nobody knows any more."""

import json
import time

from lab.defects import Defect, Lab, jobs_in_redis

_KIND = "SYSTEM_ARTIFACT_CLEANUP"
_JOB = "ab" * 12
_POOL = "cd" * 12


def _lock(lab: Lab) -> None:
    _unlock(lab)
    jobs_in_redis.send("SET", jobs_in_redis.key("jobs", _KIND, "lock"), "1")
    jobs_in_redis.send("HSET", jobs_in_redis.key("jobs", _KIND, "lock_info"), _POOL, "1")
    job = {"name": _KIND, "id": _JOB, "t": int(time.time()) - 3600, "args": None}
    jobs_in_redis.send("LPUSH", jobs_in_redis.key("jobs", _KIND), json.dumps(job))


def _unlock(lab: Lab) -> None:
    for kind in ((), ("lock",), ("lock_info",)):
        jobs_in_redis.send("DEL", jobs_in_redis.key("jobs", _KIND, *kind))


DEFECT = Defect(
    report="recorded of v2.15.2: for 596 s nobody took a job of a kind whose lock a killed jobservice held",
    shows="jobs of that kind wait for ever, with every worker idle",
    turns_red=frozenset({"jobs.queues-worked-off"}),
    hint_says=("lock_info",),
    plant_outside=_lock,
    heal_outside=_unlock,
)
