"""config.yml, as the chart writes it."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...termination import Fatal
from .. import internal_tls

_NAMESPACE = "harbor_job_service_namespace"


@dataclass(frozen=True)
class Config:
    port: int
    tls: ssl.SSLContext | None
    workers: int
    """How many jobs may run at once."""
    redis_url: str
    namespace: str
    """What every key begins with, braces included."""
    log_folder: Path | None
    """Where logs of jobs are files; None: they are in the database."""
    core_url: str
    core_secret: str
    jobservice_secret: str
    registryctl_url: str
    metrics: tuple[int, str] | None
    """(port, path) where metrics are told; None: nowhere."""


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Raises Fatal when it cannot be read."""
    try:
        document = yaml.safe_load(path.read_text())
        pool = document["worker_pool"]
        redis_pool = pool["redis_pool"]
        return Config(
            port=int(environment.get("JOB_SERVICE_PORT") or document.get("port", 8080)),
            tls=internal_tls.of_configuration(document),
            workers=int(pool.get("workers", 10)),
            redis_url=environment.get("JOB_SERVICE_POOL_REDIS_URL") or redis_pool["redis_url"],
            namespace="{{{}}}".format(str(redis_pool.get("namespace", _NAMESPACE)).strip("{}")),
            log_folder=_log_folder(document.get("job_loggers") or []),
            core_url=environment.get("CORE_URL", "").rstrip("/"),
            core_secret=environment.get("CORE_SECRET", ""),
            jobservice_secret=environment.get("JOBSERVICE_SECRET", ""),
            registryctl_url=environment.get("REGISTRY_CONTROLLER_URL", "").rstrip("/"),
            metrics=_metrics(document.get("metric") or {}),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as failure:
        raise Fatal(f"failed to load configurations from {path}: {failure!r}") from None


def _log_folder(loggers: list[dict[str, Any]]) -> Path | None:
    for logger in loggers:
        if logger.get("name") == "FILE":
            return Path(logger["settings"]["base_dir"])
    return None


def _metrics(told: dict[str, Any]) -> tuple[int, str] | None:
    return (int(told["port"]), str(told["path"])) if told.get("enabled") is True else None
