"""Where Harbor 2.x tells its metrics.

Sources: Harbor: METRIC_… of core, `metric` in jobservice's config.yml, HARBOR_EXPORTER_… of the exporter; distribution:
http.debug.prometheus. Of these only the registry and the exporter can be told to speak TLS, which no chart does.
"""

from collections.abc import Mapping
from typing import Any

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model import configuration
from harbor_verify.model.addresses import split
from harbor_verify.model.metrics import MetricsEndpoint, full_name
from harbor_verify.model.roles import Environment, Role

HEALTH, UP, PROJECTS = "harbor_health", "harbor_up", "harbor_statistics_total_project_amount"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_PATH, _CORE_PORT = "/metrics", "9090"
_CONFIG = "config.yml"


def of_replica(role: Role, files: Mapping[str, str], environment: Environment) -> MetricsEndpoint | None:
    """Of a replica with these files (text by path) and this environment; None: its metrics are switched off, or there
    are none. Raises WrongConfiguration.
    """
    match role:
        case Role.WEB:
            return _core(environment)
        case Role.JOB:
            return _jobservice(files, environment)
        case Role.REGISTRY:
            return _registry(files, environment)
    return None


def of_exporter(environment: Environment) -> MetricsEndpoint | None:
    """Of a container with this environment; None: it is no exporter. Raises WrongConfiguration."""
    port = environment.get("HARBOR_EXPORTER_PORT", "")
    if not port:
        return None
    oldest = environment.get("HARBOR_EXPORTER_CACHE_TIME", "")
    return MetricsEndpoint(
        _number("HARBOR_EXPORTER_PORT", port),
        environment.get("HARBOR_EXPORTER_METRICS_PATH") or _PATH,
        always=(HEALTH, UP, PROJECTS),
        tls=environment.get("HARBOR_EXPORTER_TLS_ENABLED", "") in _TRUE,
        oldest_s=_number("HARBOR_EXPORTER_CACHE_TIME", oldest) if oldest else 0,
    )


def _core(environment: Environment) -> MetricsEndpoint | None:
    if environment.get("METRIC_ENABLE", "") not in _TRUE:
        return None
    return MetricsEndpoint(
        _number("METRIC_PORT", environment.get("METRIC_PORT") or _CORE_PORT),
        environment.get("METRIC_PATH") or _PATH,
        always=(_named(environment, "http_inflight_requests"),),
        requests=_named(environment, "http_request_total"),
    )


def _jobservice(files: Mapping[str, str], environment: Environment) -> MetricsEndpoint | None:
    told = _section(files, "worker_pool").get("metric")
    if not isinstance(told, dict) or told.get("enabled") is not True:
        return None
    port = _number(f"metric.port of {_CONFIG}", str(told.get("port") or ""))
    return MetricsEndpoint(port, str(told.get("path") or _PATH), always=(_named(environment, "info"),))


def _registry(files: Mapping[str, str], environment: Environment) -> MetricsEndpoint | None:
    http = _section(files, "storage").get("http")
    debug = http.get("debug") if isinstance(http, dict) else None
    debug = debug if isinstance(debug, dict) else {}
    prometheus = debug.get("prometheus")
    prometheus = prometheus if isinstance(prometheus, dict) else {}
    enabled = environment.get("REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED") or str(
        prometheus.get("enabled") or ""
    )
    address = environment.get("REGISTRY_HTTP_DEBUG_ADDR") or str(debug.get("addr") or "")
    if enabled not in _TRUE or not address:
        return None
    host, port = split(address)
    path = environment.get("REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH") or str(prometheus.get("path") or _PATH)
    return MetricsEndpoint(
        _number("http.debug.addr of the registry", port),
        path,
        always=("registry_http_in_flight_requests",),
        requests="registry_http_requests_total",
        listens_at=host,
    )


def _named(environment: Environment, name: str) -> str:
    return full_name(environment.get("METRIC_NAMESPACE", ""), environment.get("METRIC_SUBSYSTEM", ""), name)


def _section(files: Mapping[str, str], known_by: str) -> dict[str, Any]:
    """The configuration among the files that has this key; empty: none has."""
    told = (configuration.mapping_of(text) for text in files.values())
    return next((each for each in told if known_by in each), {})


def _number(name: str, value: str) -> int:
    if not value.isdecimal():
        raise WrongConfiguration(f"{name} is {value!r}, not a number")
    return int(value)
