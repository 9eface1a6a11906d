"""The workers of one replica: they take jobs, run them, and tell core how far they are."""

import json
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import redis

from ... import log
from ..database import DatabaseError
from ..metrics import Counted, Family, gauge, prefix
from . import core_client
from .config import Config
from .jobs import ERROR, RUNNING, STOPPED, SUCCESS, Jobs, Pool, Taken, new_id
from .logs import JobLog, Logs
from .periodic import SCHEDULER

Job = Callable[[dict[str, Any], JobLog], dict[str, Any]]
"""Takes its parameters, returns its result. Whatever it raises makes it a failed one."""

_HEARTBEAT_S = 5
_REAP_AFTER_START_S, _REAP_EVERY_S = 10, 600
"""When jobs of replicas that are gone are put back."""
_IDLE_S = 0.3
_AFTER_FAILURE_S = 1
_PATIENCE_S = 120
_REPORTS = 10
_BETWEEN_REPORTS_S = 2
_TOLD_AGAIN_S = 60
"""The real one: five minutes after its start, then each hour."""


class Workers:
    def __init__(
        self, config: Config, jobs: Jobs, logs: Logs, known: Mapping[str, Job], names: list[str]
    ) -> None:
        """`known` are the jobs that can be run here, `names` those that are announced."""
        self._config = config
        self._jobs = jobs
        self._logs = logs
        self._known = known
        self._idle = [new_id() for _ in range(config.workers)]
        now = int(time.time())
        self.ran = Counted()
        """The jobs that have ended here."""
        self.pool = Pool(new_id(), now, now, config.workers, os.getpid(), names, list(self._idle))
        self._ending = threading.Event()
        self._reap_at_s = time.monotonic() + _REAP_AFTER_START_S

    def start(self) -> None:
        self._in_background(self._live, "heartbeat")
        self._in_background(self._dispatch, "dispatch")
        self._in_background(self._tell_again, "tell again")

    def families(self) -> list[Family]:
        """What it tells Prometheus."""
        name = prefix()
        about = {"node": socket.gethostname(), "pool": self.pool.id, "workers": str(self._config.workers)}
        return [
            gauge(f"{name}info", "the information of jobservice", [(about, 1)]),
            self.ran.counter(f"{name}task_total", "The number of processed tasks"),
            self.ran.summary(
                f"{name}task_process_time_seconds", "The time duration of the task processing time"
            ),
        ]

    def finish(self) -> None:
        """Take no more, and wait until what is at work has ended, or for so long as the real one does."""
        self._ending.set()
        deadline_s = time.monotonic() + _PATIENCE_S
        while len(self._idle) < self._config.workers and time.monotonic() < deadline_s:
            time.sleep(_IDLE_S)

    def _in_background(self, work: Callable[[], None], name: str) -> None:
        threading.Thread(target=self._for_ever, args=(work,), name=name, daemon=True).start()

    def _for_ever(self, work: Callable[[], None]) -> None:
        while True:
            try:
                work()
            except redis.RedisError as failure:
                log.error(
                    f"redis: {str(failure).splitlines()[0] if str(failure) else type(failure).__name__}"
                )
                time.sleep(_AFTER_FAILURE_S)

    def _live(self) -> None:
        self._jobs.beat(self.pool)
        if time.monotonic() >= self._reap_at_s:
            self._reap_at_s = time.monotonic() + _REAP_EVERY_S
            for job_id in self._jobs.bury(self.pool.job_names):
                log.info(f"job {job_id} of a replica that is gone is put back")
        time.sleep(_HEARTBEAT_S)

    def _dispatch(self) -> None:
        """Give what waits to workers that are idle."""
        taken = None
        for name in (*self._known, SCHEDULER) if self._idle and not self._ending.is_set() else ():
            if taken := self._jobs.take(name, self.pool.id):
                worker = self._idle.pop()
                self._in_thread(partial(self._work, worker, taken), f"job {taken.id}")
                if not self._idle:
                    return
        if taken is None:
            time.sleep(_IDLE_S)

    @staticmethod
    def _in_thread(work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _work(self, worker: str, taken: Taken) -> None:
        try:
            self._jobs.works(worker, taken)
            if taken.name == SCHEDULER:
                self._fire(taken)
            else:
                self._run(taken.name, taken.id)
            self._patiently(lambda: self._jobs.done(taken, self.pool.id))
            self._patiently(lambda: self._jobs.works(worker, None))
        except redis.RedisError as failure:
            # It stays on this pool's list, and is put back when this replica has gone.
            log.error(f"redis, in job {taken.id}: {failure}")
        finally:
            self._idle.append(worker)

    def _fire(self, taken: Taken) -> None:
        """A slot of a schedule: core is told, and starts what is to run."""
        hook = self._jobs.state(taken.id).get("web_hook_url", "")
        log.info(f"Job '{SCHEDULER}:{taken.id}' checks in")
        self._patiently_told(partial(core_client.check_in, self._config, hook, taken.id, int(time.time())))

    def _run(self, name: str, job_id: str) -> None:
        state = self._jobs.state(job_id)
        if not state or state["status"] in (SUCCESS, ERROR, STOPPED):
            return
        hook, job_log = state.get("web_hook_url", ""), JobLog(self._logs, job_id)
        self._jobs.set_status(job_id, RUNNING)
        self._report(hook, job_id, RUNNING, {})
        log.info(f"Job '{name}:{job_id}' starts")
        begun_s = time.monotonic()
        try:
            result, status = self._known[name](json.loads(state["parameters"]), job_log), SUCCESS
        except Exception as failure:  # noqa: BLE001 - a job that fails must not end the program
            log.error(f"Job '{name}:{job_id}' failed:\n{traceback.format_exc()}")
            result, status = {}, ERROR
            job_log.error(str(failure))
        self._end_log(job_log, job_id)
        if self._is_stopped(job_id):
            status = STOPPED
        self._patiently(lambda: self._jobs.set_status(job_id, status))
        self._report(hook, job_id, status, result)
        self.ran.add(time.monotonic() - begun_s, type=name, status=status)
        log.info(f"Job '{name}:{job_id}' ends: {status}")

    def _end_log(self, job_log: JobLog, job_id: str) -> None:
        """A log that cannot be kept makes no job a failed one."""
        try:
            job_log.end()
        except (DatabaseError, OSError) as failure:
            log.error(f"the log of job {job_id} is lost: {failure}")

    def _is_stopped(self, job_id: str) -> bool:
        try:
            return self._jobs.state(job_id).get("status") == STOPPED
        except redis.RedisError:
            return False

    def _patiently(self, write: Callable[[], object]) -> None:
        """What a job has done is written down, even where Redis fails over just then."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                write()
                return
            except redis.RedisError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_AFTER_FAILURE_S)

    def _report(self, hook: str, job_id: str, status: str, result: dict[str, Any]) -> None:
        """What core does not take is told again later, as the real one's reaper does."""
        if not hook:
            return
        told = partial(core_client.report, self._config, hook, job_id, status, result)
        if not self._patiently_told(told):
            untold = {"hook": hook, "status": status, "result": result}
            self._patiently(lambda: self._jobs.keep_untold(job_id, untold))

    def _tell_again(self) -> None:
        for job_id, told in self._jobs.untold().items():
            if core_client.report(self._config, told["hook"], job_id, told["status"], told["result"]):
                self._jobs.forget_untold(job_id)
        time.sleep(_TOLD_AGAIN_S)

    @staticmethod
    def _patiently_told(tell: Callable[[], bool]) -> bool:
        """A few times, for core may be away for a while."""
        for attempt in range(_REPORTS):
            if tell():
                return True
            time.sleep(_BETWEEN_REPORTS_S * (attempt + 1))
        return False
