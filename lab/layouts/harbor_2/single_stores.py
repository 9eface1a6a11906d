"""The chart's default: `database.type: internal` and `redis.type: internal`, one pod each, all else doubled.

Neither keeps its data: the lab has no volumes that are made on demand, and a store's pod that dies is the end of this
Harbor either way.
"""

from lab.deployment import store_images
from lab.deployment.manifests import stores
from lab.deployment.manifests.objects import Object, find, put_text
from lab.layouts import Layout

_DATABASE, _REDIS = "harbor-database", "harbor-redis"


def _use_own_stores(objects: list[Object]) -> None:
    core = find(objects, "ConfigMap", "harbor-core")
    password = find(objects, "Secret", "harbor-core")["data"]["POSTGRESQL_PASSWORD"]
    core["data"] |= {"POSTGRESQL_HOST": _DATABASE, "POSTGRESQL_USERNAME": "postgres"}
    stores.use_redis(objects, "", _REDIS, 6379)
    put_text(find(objects, "Secret", "harbor-registry"), "REGISTRY_REDIS_PASSWORD", "")

    objects += _store(core["metadata"], "database", 5432, store_images.DATABASE, store_images.DATABASE_USER)
    objects += _store(
        core["metadata"], "redis", 6379, store_images.SESSION_STORE, store_images.SESSION_STORE_USER
    )
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
    secret["metadata"] = _metadata(core["metadata"], "database")
    secret["data"] = {"POSTGRES_PASSWORD": password}
    objects.append(secret)
    container = find(objects, "StatefulSet", _DATABASE)["spec"]["template"]["spec"]["containers"][0]
    container |= {
        "envFrom": [{"secretRef": {"name": _DATABASE}}],
        "env": [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"}],
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
        "readinessProbe": {"exec": {"command": ["/docker-healthcheck.sh"]}, "periodSeconds": 1},
    }


def _metadata(beside: Object, component: str) -> Object:
    """In the namespace and the release of the object that has this metadata."""
    labels = beside["labels"] | {"component": component, "app.kubernetes.io/component": component}
    return {**beside, "name": f"harbor-{component}", "labels": labels}


def _store(beside: Object, component: str, port: int, image: str, user: int) -> list[Object]:
    """A Service and the StatefulSet of one pod behind it."""
    metadata = _metadata(beside, component)
    selector = {key: metadata["labels"][key] for key in ("app", "release", "component")}
    pod = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsUser": user, "fsGroup": user},
        "containers": [
            {
                "name": component,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": port}],
                "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
                "volumeMounts": [{"name": "data", "mountPath": "/var/lib/redis"}],
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": dict(selector), "ports": [{"port": port}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {**metadata, "labels": dict(metadata["labels"])},
            "spec": {
                "replicas": 1,
                "serviceName": metadata["name"],
                "selector": {"matchLabels": dict(selector)},
                "template": {"metadata": {"labels": dict(metadata["labels"])}, "spec": pod},
            },
        },
    ]


LAYOUT = Layout(
    about="the chart's own database and Redis, one pod each: not highly available",
    change=_use_own_stores,
    ensure=store_images.ensure,
    not_applicable=frozenset({"sessions.sentinels-can-elect", "sessions.store-refuses-writes-alone"}),
    turns_red=frozenset({"database.not-on-one-server", "sessions.store-not-on-one-server"}),
)
