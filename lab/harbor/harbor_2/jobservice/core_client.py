"""Core, as jobservice speaks to it: with JOBSERVICE_SECRET."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ... import log
from ...termination import Panic
from .. import http_client
from .config import Config


def settings(config: Config) -> dict[str, Any]:
    """Core's settings, those of its database among them. Raises Panic: without them, nothing goes."""
    url = f"{config.core_url}/api/v2.0/internalconfig"
    log.info(f"get configuration from url: {url}")
    try:
        reply = http_client.send("GET", url, _headers(config))
        if reply.status != 200:
            raise ValueError(f"{reply.status} {reply.body.decode(errors='replace').strip()}")
        return {name: item["value"] for name, item in json.loads(reply.body).items()}
    except (OSError, http.client.HTTPException) as failure:
        reason = http_client.describe("GET", url, failure)
    except (ValueError, KeyError, TypeError) as failure:
        reason = str(failure)
    log.error(f"Failed on load rest config err:{reason}, url:{url}")
    raise Panic("failed to load configuration, error: failed to load rest config")


def report(config: Config, hook: str, job_id: str, status: str, result: dict[str, Any]) -> bool:
    """Tell core how far a job is; whether core has taken it.

    `hook` is the URL that core gave. Of it the path counts: any core will do, and jobservice knows its own way there.
    """
    return _tell(config, hook, {"job_id": job_id, "status": status, "check_in": json.dumps(result)})


def check_in(config: Config, hook: str, job_id: str, at_s: int) -> bool:
    """Tell core that a schedule fires, at a second since 1970; whether core has taken it."""
    metadata = {"check_in_at": at_s}
    return _tell(
        config, hook, {"job_id": job_id, "status": "Running", "check_in": "{}", "metadata": metadata}
    )


def _tell(config: Config, hook: str, told: dict[str, Any]) -> bool:
    url, what = f"{config.core_url}{urlsplit(hook).path}", f"{told['status']} of job {told['job_id']}"
    try:
        reply = http_client.send("POST", url, _headers(config), json.dumps(told).encode(), timeout_s=30)
    except (OSError, http.client.HTTPException) as failure:
        log.error(f"failed to report {what}: {http_client.describe('POST', url, failure)}")
        return False
    if reply.status not in (200, 404):
        log.error(f"failed to report {what}: core answered {reply.status}")
    # A task that core no longer knows needs no further word.
    return reply.status in (200, 404)


def _headers(config: Config) -> dict[str, str]:
    return {"Authorization": f"Harbor-Secret {config.jobservice_secret}", "Content-Type": "application/json"}
