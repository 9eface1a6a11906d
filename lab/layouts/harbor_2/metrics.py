"""Metrics switched on everywhere (the chart: metrics.enabled), and the exporter that tells of Harbor as a whole.

A layout of its own: in the reference a pod more would cost each of the lab's runs, and the chart has it switched off.
"""

import copy

import yaml

from lab.deployment.manifests.objects import Object, find, workload
from lab.layouts import Layout

PORT, _PATH = 8001, "/metrics"
EXPORTER = "harbor-exporter"


def _switch_on(objects: list[Object]) -> None:
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    core |= {"METRIC_ENABLE": "true", "METRIC_PATH": _PATH, "METRIC_PORT": str(PORT)}
    for name, subsystem in (("harbor-core", "core"), ("harbor-jobservice-env", "jobservice")):
        data = find(objects, "ConfigMap", name)["data"]
        data |= {"METRIC_NAMESPACE": "harbor", "METRIC_SUBSYSTEM": subsystem}
    _configure(objects, "harbor-jobservice", {"metric": {"enabled": True, "path": _PATH, "port": PORT}})
    registry = yaml.safe_load(find(objects, "ConfigMap", "harbor-registry")["data"]["config.yml"])
    debug = {"addr": f":{PORT}", "prometheus": {"enabled": True, "path": _PATH}}
    _configure(objects, "harbor-registry", {"http": {**registry["http"], "debug": debug}})
    objects += _exporter(objects)


def _configure(objects: list[Object], config_map: str, changed: Object) -> None:
    data = find(objects, "ConfigMap", config_map)["data"]
    data["config.yml"] = yaml.safe_dump({**yaml.safe_load(data["config.yml"]), **changed}, sort_keys=False)


def _exporter(objects: list[Object]) -> list[Object]:
    """ConfigMap, Service and Deployment of one; its password is core's."""
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    jobs = yaml.safe_load(find(objects, "ConfigMap", "harbor-jobservice")["data"]["config.yml"])
    config_map = _bare(objects, "v1", "ConfigMap", f"{EXPORTER}-env")
    config_map["data"] = {
        "LOG_LEVEL": "info",
        "HARBOR_EXPORTER_PORT": str(PORT),
        "HARBOR_EXPORTER_METRICS_PATH": _PATH,
        "HARBOR_EXPORTER_METRICS_ENABLED": "true",
        "HARBOR_EXPORTER_CACHE_TIME": "23",
        "HARBOR_EXPORTER_CACHE_CLEAN_INTERVAL": "14400",
        "HARBOR_METRIC_NAMESPACE": "harbor",
        "HARBOR_METRIC_SUBSYSTEM": "exporter",
        "HARBOR_REDIS_URL": jobs["worker_pool"]["redis_pool"]["redis_url"],
        "HARBOR_REDIS_NAMESPACE": jobs["worker_pool"]["redis_pool"]["namespace"],
        "HARBOR_REDIS_TIMEOUT": "3600",
        "HARBOR_SERVICE_SCHEME": "http",
        "HARBOR_SERVICE_HOST": "harbor-core",
        "HARBOR_SERVICE_PORT": "80",
        "HARBOR_DATABASE_HOST": core["POSTGRESQL_HOST"],
        "HARBOR_DATABASE_PORT": core["POSTGRESQL_PORT"],
        "HARBOR_DATABASE_USERNAME": core["POSTGRESQL_USERNAME"],
        "HARBOR_DATABASE_DBNAME": core["POSTGRESQL_DATABASE"],
        "HARBOR_DATABASE_SSLMODE": core["POSTGRESQL_SSLMODE"],
        "HARBOR_DATABASE_MAX_IDLE_CONNS": "1",
        "HARBOR_DATABASE_MAX_OPEN_CONNS": "2",
    }
    service = _bare(objects, "v1", "Service", EXPORTER)
    labels = {"app": "harbor", "release": "harbor", "component": "exporter"}
    service["spec"] = {"selector": labels, "ports": [{"name": "http-metrics", "port": PORT}]}
    deployment = _bare(objects, "apps/v1", "Deployment", EXPORTER)
    deployment["spec"] = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": dict(deployment["metadata"]["labels"])},
            "spec": {
                "enableServiceLinks": False,
                "automountServiceAccountToken": False,
                "securityContext": {"runAsUser": 10000, "fsGroup": 10000},
                "containers": [_container()],
            },
        },
    }
    return [config_map, service, deployment]


def _container() -> Object:
    password = {"name": "harbor-core", "key": "POSTGRESQL_PASSWORD"}
    asked = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 10}
    return {
        "name": "exporter",
        "image": "goharbor/harbor-exporter:v2.15.2",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "envFrom": [{"configMapRef": {"name": f"{EXPORTER}-env"}}],
        "env": [{"name": "HARBOR_DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": password}}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {**asked, "periodSeconds": 2},
        "livenessProbe": {**asked, "initialDelaySeconds": 30},
    }


def _bare(objects: list[Object], version: str, kind: str, name: str) -> Object:
    metadata = copy.deepcopy(workload(objects, "harbor-jobservice")["metadata"])
    metadata["name"] = name
    for key in ("component", "app.kubernetes.io/component"):
        metadata["labels"][key] = "exporter"
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


LAYOUT = Layout(
    about="metrics switched on, and an exporter that tells of Harbor as a whole",
    change=_switch_on,
    applicable=frozenset(
        {
            "configuration.exporter-tells-the-truth",
            "configuration.metrics-count-requests",
            "configuration.metrics-served",
        }
    ),
)
