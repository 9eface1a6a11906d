"""What was verified, as data for the report: versions, replicas and their images, nodes, volumes, stores, settings.

In the form of harbor_verify/reports/environment.py. What may not be read is left out: it decides nothing.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from kubernetes import client

from harbor_verify import clock
from harbor_verify.errors import AnswerError, StoreRefused, TargetUnreachable, WrongConfiguration
from harbor_verify.facts import Facts
from harbor_verify.model.workloads import is_ready
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

_DECIDING = (
    "allow_disruption",
    "allow_garbage_collection",
    "strict_advice",
    "strict_skips",
    "large_layer_mib",
    "certificate_days",
    "collection_days",
    "last_days",
    "robot_days",
    "full_percent",
    "full_in_days",
    "outage_budget_ms",
    "crash_outage_budget_ms",
    "drain_outage_budget_ms",
    "slow_answer_budget_ms",
    "hang_outage_budget_s",
    "node_outage_budget_s",
    "store_outage_budget_s",
    "failed_requests_budget",
    "recovery_budget_s",
    "flapping_budget_percent",
    "confirmation_s",
    "operations_per_s",
    "push_mib",
    "load",
    "repeat",
)
"""Settings that verdicts hang on."""


def surroundings(target: Target, settings: Settings, facts: Facts) -> dict[str, Any]:
    """All of it, as far as it can be read."""
    parts: Mapping[str, Callable[[], Any]] = {
        "harbor": lambda: facts.version.value,
        "kubernetes": target.kubernetes.version,
        "stores": lambda: _stores(target),
        "workloads": lambda: _workloads(target),
        "nodes": lambda: _nodes(target),
        "volumes": lambda: _volumes(target),
    }
    document: dict[str, Any] = {}
    for name, read in parts.items():
        try:
            document[name] = read()
        except (AnswerError, TargetUnreachable):
            continue
    document["facts"] = {name: str(fact) for name, fact in facts.named().items()}
    document["suite"] = {name: getattr(settings, name) for name in _DECIDING}
    document["suite"]["allow_disruption"] = target.access.may_disrupt or settings.allow_disruption
    return document


def clocks_ahead(target: Target) -> list[timedelta | None]:
    """How far API server and front door are ahead of this machine; None where one does not tell."""
    api = client.VersionApi(target.kubernetes.core.api_client)
    ahead: list[timedelta | None] = []
    for ask in (
        lambda: target.kubernetes.ask("ask for the time", api.get_code_with_http_info)[2],
        lambda: target.front_door.http.get("/").headers,
    ):
        try:
            ahead.append(clock.date_of(ask()))
        except (AnswerError, TargetUnreachable):
            ahead.append(None)
    return ahead


def _stores(target: Target) -> dict[str, str]:
    text_by_store = {}
    for name, read in (("database", target.database), ("session store", target.session_store)):
        try:
            text_by_store[name] = str(read() or "none is set")
        except (WrongConfiguration, Failure):
            continue  # that it cannot be told is for the checks to judge
    return {name: f"{text}{_server(target, name)}" for name, text in text_by_store.items()}


def _server(target: Target, store: str) -> str:
    """The server's own version, where it lets us ask."""
    try:
        if store == "database":
            with target.sql() as sql:
                ((version,),) = sql.rows("SELECT version()")
            return f" ({' '.join(str(version).split()[:2])})"
        settings = target.session_store()
        if settings is None:
            return ""
        with target.redis(settings) as redis:
            return f" (Redis {redis.facts('server')['redis_version']})"
    except (StoreRefused, WrongConfiguration, KeyError):
        return ""


def _workloads(target: Target) -> list[dict[str, Any]]:
    workloads, all_replicas = [], target.deployment.all_replicas()
    for role, workload in target.deployment.workloads.items():
        replicas = all_replicas[role]
        workloads.append(
            {
                "role": str(role),
                "kind": workload.kind,
                "name": workload.name,
                "desired": workload.desired,
                "ready": sum(replica.ready for replica in replicas),
                "nodes": sorted({replica.node for replica in replicas if replica.node}),
                "images": [container.image for container in workload.template.spec.containers],
            }
        )
    return workloads


def _nodes(target: Target) -> list[dict[str, Any]]:
    return [
        {
            "name": node.metadata.name,
            "ready": is_ready(node),
            # A node that has just joined tells nothing of itself yet.
            "kubelet": getattr(node.status.node_info, "kubelet_version", ""),
            "os": getattr(node.status.node_info, "os_image", ""),
            "runtime": getattr(node.status.node_info, "container_runtime_version", ""),
        }
        for node in target.deployment.all_nodes()
    ]


def _volumes(target: Target) -> list[dict[str, Any]]:
    return [
        {
            "claim": each.claim_name,
            "phase": each.phase,
            "volume": each.claim.spec.volume_name if each.claim else None,
            "size": (each.claim.status.capacity or {}).get("storage") if each.claim else None,
            "access_modes": (each.claim.status.access_modes or []) if each.claim else [],
            "used_by": list(each.used_by),
        }
        for each in target.deployment.volumes()
    ]
