"""What core is told by its environment, in the names of the chart's ConfigMap and Secret."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """URLs are without a slash at the end."""

    port: int
    external_url: str
    core_url: str
    token_service_url: str
    registry_url: str
    registryctl_url: str
    jobservice_url: str
    portal_url: str
    database_host: str
    database_port: int
    database_user: str
    database_password: str
    database_name: str
    database_sslmode: str
    database_most_idle: int
    database_most_open: int
    redis_url: str
    """Of the sessions, in Redis' URL form; empty: sessions in memory."""
    cache_redis_url: str
    """Of everything else, and what must answer before core starts; empty: core does not start."""
    registry_redis_url: str
    registry_username: str
    registry_password: str
    core_secret: str
    jobservice_secret: str
    csrf_key: str
    admin_password: str
    key_file: Path
    """The secret key, with which passwords of other registries are kept."""
    private_key_file: Path
    """The key that signs tokens."""
    storage_provider: str
    metrics: tuple[int, str] | None
    """(port, path) where metrics are told; None: nowhere."""
    overwritten: dict[str, Any]
    """What of the configuration stands in the environment, and is not changed while core runs."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    def url(name: str, otherwise: str) -> str:
        return (environment.get(name) or otherwise).rstrip("/")

    core_redis_url = environment.get("_REDIS_URL_CORE", "")
    core_url = url("CORE_URL", "http://core:8080")
    return Settings(
        port=int(environment.get("PORT") or 8080),
        external_url=url("EXT_ENDPOINT", "https://localhost"),
        core_url=core_url,
        token_service_url=url("TOKEN_SERVICE_URL", f"{core_url}/service/token"),
        registry_url=url("REGISTRY_URL", "http://registry:5000"),
        registryctl_url=url("REGISTRY_CONTROLLER_URL", "http://registryctl:8080"),
        jobservice_url=url("JOBSERVICE_URL", "http://jobservice:8080"),
        portal_url=url("PORTAL_URL", "http://portal:8080"),
        database_host=environment.get("POSTGRESQL_HOST", ""),
        database_port=int(environment.get("POSTGRESQL_PORT") or 5432),
        database_user=environment.get("POSTGRESQL_USERNAME", ""),
        database_password=environment.get("POSTGRESQL_PASSWORD", ""),
        database_name=environment.get("POSTGRESQL_DATABASE", ""),
        database_sslmode=environment.get("POSTGRESQL_SSLMODE") or "disable",
        database_most_idle=int(environment.get("POSTGRESQL_MAX_IDLE_CONNS") or 2),
        database_most_open=int(environment.get("POSTGRESQL_MAX_OPEN_CONNS") or 0),
        redis_url=core_redis_url,
        cache_redis_url=environment.get("_REDIS_URL_HARBOR", "") or core_redis_url,
        registry_redis_url=environment.get("_REDIS_URL_REG", ""),
        registry_username=environment.get("REGISTRY_CREDENTIAL_USERNAME", ""),
        registry_password=environment.get("REGISTRY_CREDENTIAL_PASSWORD", ""),
        core_secret=environment.get("CORE_SECRET", ""),
        jobservice_secret=environment.get("JOBSERVICE_SECRET", ""),
        csrf_key=environment.get("CSRF_KEY", ""),
        admin_password=environment.get("HARBOR_ADMIN_PASSWORD", ""),
        key_file=Path(environment.get("KEY_PATH") or "/etc/core/key"),
        private_key_file=Path(environment.get("TOKEN_PRIVATE_KEY_PATH") or "/etc/core/private_key.pem"),
        storage_provider=environment.get("REGISTRY_STORAGE_PROVIDER_NAME") or "filesystem",
        metrics=(int(environment.get("METRIC_PORT") or 9090), environment.get("METRIC_PATH") or "/metrics")
        if environment.get("METRIC_ENABLE", "").lower() == "true"
        else None,
        overwritten=json.loads(environment.get("CONFIG_OVERWRITE_JSON") or "{}"),
    )
