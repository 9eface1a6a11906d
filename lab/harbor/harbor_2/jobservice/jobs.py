"""Jobs in Redis, where every replica finds them.

A job waits in the queue of its name. Whoever takes it moves it to a list of his own, where it stays until it is done;
so the jobs of a replica that has died are found there and put back.
"""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import redis

PENDING, RUNNING, SUCCESS, ERROR, STOPPED = "Pending", "Running", "Success", "Error", "Stopped"

_KEPT_DONE_S = 7 * 86400
_DEAD_AFTER_S = 20
_SCHEMA_VERSION = "1.8"


@dataclass(frozen=True)
class Pool:
    """The workers of one replica. Times are seconds since 1970."""

    id: str
    started_at: int
    heartbeat_at: int
    concurrency: int
    pid: int
    job_names: list[str]


class Jobs:
    """What stands here raises redis.RedisError."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._redis = client
        self._namespace = namespace

    def prepare(self, names: list[str]) -> None:
        self._redis.set(self._key("_schema_version"), _SCHEMA_VERSION)
        self._redis.sadd(self._key("known_jobs"), *names)
        for name in names:
            self._redis.set(self._key("jobs", name, "max_concurrency"), 0)

    def add(self, name: str, parameters: dict[str, Any], hook: str) -> dict[str, Any]:
        """A job that waits; `hook` is where its state is reported. Returns its state."""
        job_id, now = new_id(), int(time.time())
        state = {
            "id": job_id,
            "name": name,
            "kind": "Generic",
            "unique": 0,
            "status": PENDING,
            "ref_link": f"/api/v1/jobs/{job_id}",
            "enqueue_time": now,
            "update_time": now,
            "parameters": json.dumps(parameters),
            "web_hook_url": hook,
        }
        with self._redis.pipeline() as pipeline:
            pipeline.hset(self._key("job_stats", job_id), mapping=state)
            pipeline.lpush(self._key("jobs", name), job_id)
            pipeline.execute()
        return state

    def state(self, job_id: str) -> dict[str, str]:
        """Empty when there is no such job."""
        found = self._redis.hgetall(self._key("job_stats", job_id))
        return {name.decode(): value.decode() for name, value in found.items()}

    def states(self) -> list[dict[str, str]]:
        keys = self._redis.scan_iter(match=self._key("job_stats", "*").replace("{", "\\{"), count=500)
        return [self.state(key.decode().rpartition(":")[2]) for key in keys]

    def set_status(self, job_id: str, status: str) -> None:
        key = self._key("job_stats", job_id)
        self._redis.hset(key, mapping={"status": status, "update_time": int(time.time())})
        if status in (SUCCESS, ERROR, STOPPED):
            self._redis.expire(key, _KEPT_DONE_S)

    def take(self, name: str, pool_id: str, wait_s: float) -> str | None:
        """The id of a job that waited, which is this pool's from now on; None when there was none for that long."""
        taken = self._redis.blmove(
            self._key("jobs", name),
            self._in_progress(name, pool_id),
            timeout=wait_s,
            src="RIGHT",
            dest="LEFT",
        )
        return taken.decode() if taken else None

    def done(self, name: str, pool_id: str, job_id: str) -> None:
        """It need not be put back when this pool dies."""
        self._redis.lrem(self._in_progress(name, pool_id), 0, job_id)

    def beat(self, pool: Pool) -> None:
        """This pool lives."""
        fields = {
            "heartbeat_at": int(time.time()),
            "started_at": pool.started_at,
            "concurrency": pool.concurrency,
            "pid": pool.pid,
            "job_names": ",".join(pool.job_names),
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
                source, queue = self._in_progress(name, pool.id), self._key("jobs", name)
                while job_id := self._redis.lmove(source, queue, src="RIGHT", dest="RIGHT"):
                    restored.append(job_id.decode())
            self._redis.srem(self._key("worker_pools"), pool.id)
            self._redis.delete(self._key("worker_pools", pool.id))
        return restored

    def _all_pools(self) -> list[Pool]:
        pools = []
        for member in self._redis.smembers(self._key("worker_pools")):
            pool_id = member.decode()
            fields = self._redis.hgetall(self._key("worker_pools", pool_id))
            known = {name.decode(): value.decode() for name, value in fields.items()}
            pools.append(
                Pool(
                    pool_id,
                    int(known.get("started_at", 0)),
                    int(known.get("heartbeat_at", 0)),
                    int(known.get("concurrency", 0)),
                    int(known.get("pid", 0)),
                    known.get("job_names", "").split(","),
                )
            )
        return sorted(pools, key=lambda pool: pool.id)

    def _in_progress(self, name: str, pool_id: str) -> str:
        return self._key("jobs", name, pool_id, "inprogress")

    def _key(self, *parts: str) -> str:
        return ":".join((self._namespace, *parts))


def new_id() -> str:
    """24 hexadecimal digits."""
    return secrets.token_hex(12)


def _is_dead(pool: Pool) -> bool:
    return time.time() - pool.heartbeat_at > _DEAD_AFTER_S
