"""Jobservice, as core speaks to it."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from .. import http_client, redis_client
from ..jobservice.jobs import Jobs
from .settings import Settings

_KEPT_FOR_S = 15.0
"""Recorded: those that a burst of requests left were gone after 10 to 25 s."""


class JobserviceFailure(Exception):
    """It does not answer, or not as it should; the text says why."""


class JobserviceRefusal(Exception):
    """It does not know core's secret; the text is its answer."""


def submit(settings: Settings, job: dict[str, Any]) -> str:
    """Have a job run; return its id. Raises JobserviceFailure, JobserviceRefusal."""
    body = _send(settings, "POST", "/api/v1/jobs", json.dumps({"job": job}).encode(), expected=202)
    return str(json.loads(body)["id"])


def stop(settings: Settings, job_id: str) -> None:
    """Stop a job; that it knows none of this id is well. Raises as `submit` does."""
    body = json.dumps({"action": "stop"}).encode()
    _send(settings, "POST", f"/api/v1/jobs/{job_id}", body, expected=204, missing=True)


@contextmanager
def jobs(settings: Settings) -> Iterator[Jobs]:
    """The jobs themselves, in the Redis that jobservice names; by a connection for the length of the block.

    Raises as `submit` does, and where Redis does not answer.
    """
    told = json.loads(_send(settings, "GET", "/api/v1/config"))["redis_pool_config"]
    client = redis_client.connect_for_jobs(told["redis_url"])
    try:
        yield Jobs(client, f"{{{told['namespace']}}}")
    except redis_client.RedisError as failure:
        raise JobserviceFailure(f"redis: {redis_client.describe(failure)}") from failure
    finally:
        client.close()


def log(settings: Settings, job_id: str) -> bytes | None:
    """What a job has written; None when no such log is there. Raises as `submit` does."""
    return _send(settings, "GET", f"/api/v1/jobs/{job_id}/log", missing=True) or None


@cache
def _transport(url: str) -> http_client.Transport:
    return http_client.Transport(url, kept_for_s=_KEPT_FOR_S)


def _send(
    settings: Settings,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    expected: int = 200,
    missing: bool = False,
) -> bytes:
    url = f"{settings.jobservice_url}{path}"
    headers = {"Authorization": f"Harbor-Secret {settings.core_secret}", "Content-Type": "application/json"}
    try:
        reply = _transport(settings.jobservice_url).send(method, url, headers, body)
    except (OSError, http.client.HTTPException) as failure:
        raise JobserviceFailure(http_client.describe(method, url, failure)) from failure
    if reply.status == 401:
        raise JobserviceRefusal(reply.body.decode(errors="replace"))
    if missing and reply.status == 404:
        return b""
    if reply.status != expected:
        raise JobserviceFailure(f"{method} {url}: {reply.status} {reply.body.decode(errors='replace')[:200]}")
    return reply.body
