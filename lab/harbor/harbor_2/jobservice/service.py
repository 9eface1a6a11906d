"""Jobservice's API. All but its state want core's secret."""

import hmac
import json
from typing import Any

import redis

from ... import log
from ...web.request import Request
from ...web.response import Response, abort, go_json
from ..cron import CronError
from .config import Config
from .jobs import PERIODIC, STOPPED, Jobs
from .logs import Logs
from .periodic import SCHEDULER, Periodic

_JSON = [("Accept", "application/json"), ("Content-Type", "application/json")]
_NUMBERS = ("enqueue_time", "update_time", "numeric_policy_id")
_STATS_FAILED, _NOT_FOUND, _UNAUTHORIZED, _BAD_REQUEST, _FAILED = 10004, 10009, 10011, 10001, 10002


class Service:
    def __init__(
        self, jobs: Jobs, periodic: Periodic, logs: Logs, known: list[str], settings: Config
    ) -> None:
        """`known` are the jobs that it takes on, beside schedules."""
        self._jobs = jobs
        self._periodic = periodic
        self._logs = logs
        self._known = known
        self._settings = settings
        self._secret = settings.core_secret

    def answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if not path.startswith("/api/v1/"):
            return abort(404, "404 page not found\n")
        if path == "/api/v1/stats" and request.method == "GET":
            return self._stats()
        shown = request.headers.get("Authorization", "")
        if not shown:
            return _error(401, _UNAUTHORIZED, "unauthorized", "header 'Authorization' missing")
        if (
            not hmac.compare_digest(shown.encode(), f"Harbor-Secret {self._secret}".encode())
            or not self._secret
        ):
            return _error(401, _UNAUTHORIZED, "unauthorized", "unauthorized")
        try:
            return self._known_caller(request, path.removeprefix("/api/v1/").split("/"))
        except redis.RedisError as failure:
            log.error(f"redis: {failure}")
            return _error(500, _FAILED, "job service failed with error", _words(failure))

    def _known_caller(self, request: Request, parts: list[str]) -> Response:
        match request.method, parts:
            case "GET", ["config"]:
                return self._config()
            case "POST", ["jobs"]:
                return self._launch(request)
            case "GET", ["jobs"]:
                return _document(200, [{"job": _stats(state)} for state in self._jobs.states()])
            case "GET", ["jobs", job_id]:
                state = self._jobs.state(job_id)
                return _document(200, {"job": _stats(state)}) if state else _missing(job_id)
            case "POST", ["jobs", job_id]:
                return self._act(request, job_id)
            case "GET", ["jobs", job_id, "log"]:
                text = self._logs.read(job_id)
                return (
                    _missing(job_id)
                    if text is None
                    else Response(200, text, [("Content-Type", "text/plain")])
                )
        return abort(404, "404 page not found\n")

    def _launch(self, request: Request) -> Response:
        try:
            job = json.loads(request.body)["job"]
            name, parameters = job["name"], job.get("parameters") or {}
            hook, metadata = job.get("status_hook") or "", job.get("metadata") or {}
            kind, cron = str(metadata.get("kind")), str(metadata.get("cron_spec") or "")
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            return _error(400, _BAD_REQUEST, "invalid json in request body", str(failure))
        if (name, kind) == (SCHEDULER, PERIODIC):
            return self._schedule(cron, hook)
        if name not in self._known:
            return _error(400, _BAD_REQUEST, "bad request", f"job with name '{name}' is unknown")
        state = self._jobs.add(name, parameters, hook)
        log.info(f"Job '{name}:{state['id']}' is enqueued")
        return _document(202, _stats(state))

    def _schedule(self, cron: str, hook: str) -> Response:
        try:
            state = self._periodic.schedule(cron, hook)
        except CronError as wrong:
            return _error(400, _BAD_REQUEST, "bad request", str(wrong))
        log.info(f"Job '{SCHEDULER}:{state['id']}' is scheduled")
        return _document(202, _stats(state))

    def _config(self) -> Response:
        """Where the jobs are, for core, which looks into the queues itself."""
        pool = {"redis_url": self._settings.redis_url, "namespace": self._settings.namespace.strip("{}")}
        return _document(200, {"redis_pool_config": pool})

    def _act(self, request: Request, job_id: str) -> Response:
        state = self._jobs.state(job_id)
        if not state:
            return _missing(job_id)
        try:
            action = json.loads(request.body)["action"]
        except (ValueError, KeyError, TypeError):
            action = ""
        if action != "stop":
            return _error(501, _BAD_REQUEST, "unknown action", str(action))
        if state.get("kind") == PERIODIC:
            self._periodic.unschedule(job_id)
        self._jobs.set_status(job_id, STOPPED)
        return Response(204)

    def _stats(self) -> Response:
        try:
            pools = self._jobs.pools()
        except redis.RedisError as failure:
            return _error(500, _STATS_FAILED, "check stats of server failed with error", _words(failure))
        return _document(
            200,
            {
                "worker_pools": [
                    {
                        "worker_pool_id": pool.id,
                        "started_at": pool.started_at,
                        "heartbeat_at": pool.heartbeat_at,
                        "job_names": pool.job_names,
                        "concurrency": pool.concurrency,
                        "status": "Healthy",
                    }
                    for pool in pools
                ]
            },
        )


def _stats(state: dict[str, Any]) -> dict[str, Any]:
    shown = {name: int(value) if name in _NUMBERS else value for name, value in state.items()}
    parameters = shown.pop("parameters", "{}")
    shown["unique"] = shown.get("unique") not in (0, "0")
    return {**shown, "parameters": json.loads(str(parameters))}


def _document(status: int, value: Any) -> Response:
    return Response(status, go_json(value).encode(), list(_JSON))


def _missing(job_id: str) -> Response:
    return _error(404, _NOT_FOUND, "object is not found", f"job {job_id}")


def _error(status: int, code: int, message: str, details: str) -> Response:
    return abort(status, go_json({"code": code, "message": message, "details": details}))


def _words(failure: Exception) -> str:
    return str(failure).splitlines()[0] if str(failure) else type(failure).__name__
