"""Schedules as jobservice has them: in Redis, each with the slots of its next minutes.

What fires is here alone, in `period:policies`; the database says what ought to be here, and is read at a start only
(`restore`). Every replica fills in the slots of the next four minutes every two, whoever has the lock; the same slot of
two replicas is the same bytes, and so one. Whoever comes by puts slots that are due into the queue.

A policy's score is by what it is taken out again, with all that have the same. The real one takes the second and a
number of 0 to 9 that is drawn, so that several may have one score; here they have one only where ten are of a second,
since chance is no test.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import redis

from ... import log
from ..cron import Cron, CronError
from ..database import Database, DatabaseError
from .jobs import PERIODIC, SCHEDULED, Jobs, in_queue, new_id, new_state

SCHEDULER = "SCHEDULER"
_HORIZON_S = 240
_EVERY_S = 120
_LOCK_S = 30
_AFTER_FAILURE_S = 1
_SCORES = 10
_ROUNDS, _BETWEEN_ROUNDS_S = 2, 60
# KEYS: scheduled; ARGV: now, what queues begin with. What is due is said to be enqueued now.
_REQUEUE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
for _, raw in ipairs(due) do
  local job = cjson.decode(raw)
  redis.call('ZREM', KEYS[1], raw)
  redis.call('LPUSH', ARGV[2] .. job.name, (string.gsub(raw, '"t":%d+', '"t":' .. ARGV[1])))
end
return #due
"""


@dataclass(frozen=True)
class Policy:
    """A schedule. `hook` is where core is told that it fires."""

    id: str
    cron: str
    hook: str
    score: int = 0

    @property
    def raw(self) -> str:
        """As Harbor writes it."""
        told = {"id": self.id, "job_name": SCHEDULER, "cron_spec": self.cron, "web_hook_url": self.hook}
        return json.dumps(told, separators=(",", ":"))


class Periodic:
    """What stands here raises redis.RedisError."""

    def __init__(self, client: redis.Redis, namespace: str, jobs: Jobs) -> None:
        self._redis = client
        self._namespace = namespace
        self._jobs = jobs

    def start(self) -> None:
        """Fill in slots, and put what is due into its queue, for ever."""
        for work, every_s in ((self._fill, _EVERY_S), (self._requeue, 1)):
            threading.Thread(target=_for_ever, args=(work, every_s), daemon=True).start()

    def schedule(self, cron: str, hook: str, job_id: str = "") -> dict[str, object]:
        """Returns the state of its job. Raises CronError."""
        policy = Policy(job_id or new_id(), cron, hook)
        Cron(cron)
        self._enqueue(policy)
        score = self._free_score()
        self._redis.zadd(self._key("period", "policies"), {policy.raw: score})
        state = new_state(policy.id, SCHEDULER, PERIODIC, SCHEDULED, {}, hook)
        state |= {"cron_spec": cron, "numeric_policy_id": score}
        self._jobs.keep(state)
        return state

    def unschedule(self, job_id: str) -> None:
        """With all others of its score. Of these the slots that wait already stay."""
        score = self._jobs.state(job_id).get("numeric_policy_id", "")
        if score:
            self._redis.zremrangebyscore(self._key("period", "policies"), score, score)
        waiting: Any = self._redis.zrange(self._key("scheduled"), 0, -1)
        for raw in waiting:
            if json.loads(raw)["id"] == job_id:
                self._redis.zrem(self._key("scheduled"), raw)

    def policies(self) -> list[Policy]:
        found: Any = self._redis.zrange(self._key("period", "policies"), 0, -1, withscores=True)
        told = [(json.loads(raw), int(score)) for raw, score in found]
        return [Policy(p["id"], p["cron_spec"], p.get("web_hook_url", ""), score) for p, score in told]

    def restore(self, database: Database, core_url: str) -> None:
        """Bring here what the database has, and take away what it has not. Raises DatabaseError."""
        rows = database.rows(
            """SELECT s.cron, t.id, t.job_id FROM schedule s
                JOIN execution e ON e.vendor_type = 'SCHEDULER' AND e.vendor_id = s.id
                JOIN task t ON t.execution_id = e.id ORDER BY s.id"""
        )
        known = {policy.id for policy in self.policies()}
        restored = [row for row in rows if row["job_id"] not in known]
        for row in restored:
            hook = f"{core_url}/service/notifications/tasks/{row['id']}"
            self.schedule(row["cron"], hook, row["job_id"])
        dirty = known - {row["job_id"] for row in rows}
        for job_id in dirty:
            self.unschedule(job_id)
        log.info(
            f"Found {len(rows)} schedules, restore {len(restored)} missing schedules, "
            f"clear {len(dirty)} dirty schedules"
        )

    def restore_soon(self, database: Database, core_url: str) -> None:
        """In the background; tried twice, as the real one does."""

        def rounds() -> None:
            for number in range(_ROUNDS):
                log.info(f"Start to sync schedules in database to jobservice: round[{number + 1}].")
                try:
                    self.restore(database, core_url)
                    return
                except (redis.RedisError, DatabaseError, CronError) as failure:
                    log.error(f"failed to sync schedules: {failure}")
                    time.sleep(_BETWEEN_ROUNDS_S)

        threading.Thread(target=rounds, daemon=True).start()

    def _fill(self) -> None:
        if not self._redis.set(self._key("period", "lock"), "1", nx=True, ex=_LOCK_S):
            return
        for policy in self.policies():
            self._enqueue(policy)
        self._redis.set(self._key("last_periodic_enqueue_h"), int(time.time()))

    def _enqueue(self, policy: Policy) -> None:
        now = datetime.now(UTC)
        horizon = now.timestamp() + _HORIZON_S
        slots = takewhile(lambda at: at.timestamp() < horizon, Cron(policy.cron).after(now))
        due = [int(at.timestamp()) for at in slots]
        if due:
            waiting = {in_queue(SCHEDULER, policy.id, epoch): epoch for epoch in due}
            self._redis.zadd(self._key("scheduled"), waiting)

    def _requeue(self) -> None:
        queues = f"{self._key('jobs')}:"
        self._redis.eval(_REQUEUE, 1, self._key("scheduled"), int(time.time()), queues)

    def _free_score(self) -> int:
        now, taken = int(time.time()), {policy.score for policy in self.policies()}
        return next((score for score in range(now, now + _SCORES) if score not in taken), now)

    def _key(self, *parts: str) -> str:
        return ":".join((self._namespace, *parts))


def _for_ever(work: Callable[[], None], every_s: float) -> None:
    while True:
        try:
            work()
            time.sleep(every_s)
        except (redis.RedisError, CronError) as failure:
            log.error(f"schedules: {failure or type(failure).__name__}")
            time.sleep(_AFTER_FAILURE_S)
