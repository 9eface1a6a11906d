"""Jobs in Redis, where every replica finds them.

A job waits in the queue of its name, as the JSON that gocraft/work writes. Whoever takes it moves it to a list of his
own, where it stays until it is done; so the jobs of a replica that has died are found there and put back. Of some names
one job runs at a time, over all replicas: whoever takes one counts up the name's lock, and nobody takes another before
that is counted down. A queue that is paused is not touched.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import redis

PENDING, RUNNING, SUCCESS, ERROR, STOPPED = "Pending", "Running", "Success", "Error", "Stopped"
SCHEDULED = "Scheduled"
GENERIC, PERIODIC = "Generic", "Periodic"

_KEPT_DONE_S = 7 * 86400
_DEAD_AFTER_S = 10
_SCHEMA_VERSION = "1.8"
_LOCKS = ("lock", "lock_info")
_ONE_AT_A_TIME = frozenset(
    {
        "AUDIT_LOGS_GDPR_COMPLIANT",
        "EXECUTION_SWEEP",
        "GARBAGE_COLLECTION",
        "PURGE_AUDIT_LOG",
        "SCAN_DATA_EXPORT",
        "SLACK",
        "SYSTEM_ARTIFACT_CLEANUP",
    }
)
# KEYS: queue, in progress, lock, lock_info, max_concurrency, paused; ARGV: the pool.
_TAKE = """
if redis.call('EXISTS', KEYS[6]) == 1 then return false end
local most = tonumber(redis.call('GET', KEYS[5]) or '0')
if most > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') >= most then return false end
local job = redis.call('RPOPLPUSH', KEYS[1], KEYS[2])
if job then
  redis.call('INCR', KEYS[3])
  redis.call('HINCRBY', KEYS[4], ARGV[1], 1)
end
return job
"""
# KEYS: in progress, lock, lock_info; ARGV: the pool, the job.
_DONE = """
if redis.call('LREM', KEYS[1], 1, ARGV[2]) == 1 then
  redis.call('DECR', KEYS[2])
  redis.call('HINCRBY', KEYS[3], ARGV[1], -1)
end
"""
# KEYS: in progress, lock, lock_info, queue; ARGV: the pool.
_BURY = """
local job = redis.call('RPOPLPUSH', KEYS[1], KEYS[4])
if not job then
  local held = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
  if held > 0 then redis.call('DECRBY', KEYS[2], held) end
  redis.call('HDEL', KEYS[3], ARGV[1])
end
return job
"""


@dataclass(frozen=True)
class Pool:
    """The workers of one replica. Times are seconds since 1970."""

    id: str
    started_at: int
    heartbeat_at: int
    concurrency: int
    pid: int
    job_names: list[str]
    worker_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """A job that was taken from its queue; `raw` is what lay there. A slot of a schedule has the schedule's id."""

    id: str
    name: str
    raw: bytes


@dataclass(frozen=True)
class Queue:
    """Jobs that wait. `latency_s` is for how long the first of them has."""

    name: str
    count: int
    latency_s: int
    paused: bool


class Jobs:
    """What stands here raises redis.RedisError."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._redis = client
        self._namespace = namespace

    def prepare(self, names: list[str]) -> None:
        self._redis.set(self._key("_schema_version"), _SCHEMA_VERSION)
        self._redis.sadd(self._key("known_jobs"), *names)
        for name in names:
            most = 1 if name in _ONE_AT_A_TIME else 0
            self._redis.set(self._key("jobs", name, "max_concurrency"), most)

    def add(self, name: str, parameters: dict[str, Any], hook: str) -> dict[str, Any]:
        """A job that waits; `hook` is where its state is reported. Returns its state."""
        job_id = new_id()
        state = new_state(job_id, name, GENERIC, PENDING, parameters, hook)
        self.keep(state)
        self._redis.lpush(self._key("jobs", name), in_queue(name, job_id, state["enqueue_time"], parameters))
        return state

    def keep(self, state: dict[str, Any]) -> None:
        """Write down a job's state, all of it."""
        self._redis.hset(self._key("job_stats", state["id"]), mapping=state)

    def state(self, job_id: str) -> dict[str, str]:
        """Empty when there is no such job."""
        return _words(self._redis.hgetall(self._key("job_stats", job_id)))

    def states(self) -> list[dict[str, str]]:
        keys = self._redis.scan_iter(match=self._key("job_stats", "*").replace("{", "\\{"), count=500)
        return [self.state(key.decode().rpartition(":")[2]) for key in keys]

    def set_status(self, job_id: str, status: str) -> None:
        key = self._key("job_stats", job_id)
        self._redis.hset(key, mapping={"status": status, "update_time": int(time.time())})
        if status in (SUCCESS, ERROR, STOPPED):
            self._redis.expire(key, _KEPT_DONE_S)

    def take(self, name: str, pool_id: str) -> Taken | None:
        """A job that waited and may be run now, which is this pool's from now on; None when there is none."""
        kinds = ("lock", "lock_info", "max_concurrency", "paused")
        keys = [
            self._key("jobs", name),
            self._in_progress(name, pool_id),
            *(self._key("jobs", name, kind) for kind in kinds),
        ]
        raw = self._redis.eval(_TAKE, len(keys), *keys, pool_id)
        return Taken(str(json.loads(raw)["id"]), name, raw) if raw else None

    def done(self, taken: Taken, pool_id: str) -> None:
        """It need not be put back when this pool dies."""
        self._redis.eval(_DONE, 3, *self._held(taken.name, pool_id), pool_id, taken.raw)

    def works(self, worker_id: str, taken: Taken | None) -> None:
        """What a worker is at, for whoever asks; None: it is idle."""
        key = self._key("worker", worker_id)
        if taken is None:
            self._redis.delete(key)
            return
        now = int(time.time())
        self._redis.hset(key, mapping={"job_name": taken.name, "job_id": taken.id, "started_at": now})

    def work_of(self, worker_id: str) -> dict[str, str]:
        """job_name, job_id and started_at of what a worker is at; empty: it is idle."""
        return _words(self._redis.hgetall(self._key("worker", worker_id)))

    def keep_untold(self, job_id: str, told: dict[str, Any]) -> None:
        """What core has not taken of a job's state, to be told again; of each job the last."""
        self._redis.hset(self._key("untold"), job_id, json.dumps(told))

    def untold(self) -> dict[str, dict[str, Any]]:
        """By the ids of jobs."""
        found = self._redis.hgetall(self._key("untold"))
        return {job_id: json.loads(text) for job_id, text in _words(found).items()}

    def forget_untold(self, job_id: str) -> None:
        self._redis.hdel(self._key("untold"), job_id)

    def queues(self) -> list[Queue]:
        """All of them, by name."""
        return [self._queue(name.decode()) for name in sorted(self._redis.smembers(self._key("known_jobs")))]

    def _queue(self, name: str) -> Queue:
        key, first = self._key("jobs", name), None
        count = self._redis.llen(key)
        if count:
            first = self._redis.lindex(key, -1)
        waits_s = int(time.time()) - int(json.loads(first)["t"]) if first else 0
        return Queue(name, count, waits_s, bool(self._redis.exists(self._key("jobs", name, "paused"))))

    def pause(self, name: str, paused: bool) -> None:
        key = self._key("jobs", name, "paused")
        if paused:
            self._redis.set(key, "1")
        else:
            self._redis.delete(key)

    def beat(self, pool: Pool) -> None:
        """This pool lives."""
        fields = {
            "heartbeat_at": int(time.time()),
            "started_at": pool.started_at,
            "concurrency": pool.concurrency,
            "pid": pool.pid,
            "job_names": ",".join(pool.job_names),
            "worker_ids": ",".join(pool.worker_ids),
        }
        with self._redis.pipeline() as pipeline:
            pipeline.sadd(self._key("worker_pools"), pool.id)
            pipeline.hset(self._key("worker_pools", pool.id), mapping=fields)
            pipeline.execute()

    def pools(self) -> list[Pool]:
        """Those that live."""
        return [pool for pool in self._all_pools() if not _is_dead(pool)]

    def bury(self, names: list[str]) -> list[str]:
        """Put the jobs of dead pools back into their queues; the ids of those jobs."""
        restored = []
        for pool in filter(_is_dead, self._all_pools()):
            for name in names:
                keys = [*self._held(name, pool.id), self._key("jobs", name)]
                while raw := self._redis.eval(_BURY, 4, *keys, pool.id):
                    restored.append(str(json.loads(raw)["id"]))
            self._redis.srem(self._key("worker_pools"), pool.id)
            self._redis.delete(self._key("worker_pools", pool.id))
        return restored

    def _all_pools(self) -> list[Pool]:
        pools = []
        for member in self._redis.smembers(self._key("worker_pools")):
            pool_id = member.decode()
            fields = self._redis.hgetall(self._key("worker_pools", pool_id))
            known = _words(fields)
            pools.append(
                Pool(
                    pool_id,
                    int(known.get("started_at", 0)),
                    int(known.get("heartbeat_at", 0)),
                    int(known.get("concurrency", 0)),
                    int(known.get("pid", 0)),
                    known.get("job_names", "").split(","),
                    known.get("worker_ids", "").split(","),
                )
            )
        return sorted(pools, key=lambda pool: pool.id)

    def _held(self, name: str, pool_id: str) -> list[str]:
        return [self._in_progress(name, pool_id), *(self._key("jobs", name, kind) for kind in _LOCKS)]

    def _in_progress(self, name: str, pool_id: str) -> str:
        return self._key("jobs", name, pool_id, "inprogress")

    def _key(self, *parts: str) -> str:
        return ":".join((self._namespace, *parts))


def new_state(
    job_id: str, name: str, kind: str, status: str, parameters: dict[str, Any], hook: str
) -> dict[str, Any]:
    """What is known of a job that begins now."""
    now = int(time.time())
    return {
        "id": job_id,
        "name": name,
        "kind": kind,
        "unique": 0,
        "status": status,
        "ref_link": f"/api/v1/jobs/{job_id}",
        "enqueue_time": now,
        "update_time": now,
        "parameters": json.dumps(parameters),
        "web_hook_url": hook,
    }


def in_queue(name: str, job_id: str, enqueued_at: int, parameters: dict[str, Any] | None = None) -> str:
    """As gocraft/work writes a job: byte for byte the same from whichever replica it comes."""
    job = {"name": name, "id": job_id, "t": enqueued_at, "args": parameters or None}
    return json.dumps(job, separators=(",", ":"))


def _words(found: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def new_id() -> str:
    """24 hexadecimal digits."""
    return secrets.token_hex(12)


def _is_dead(pool: Pool) -> bool:
    return time.time() - pool.heartbeat_at > _DEAD_AFTER_S
