"""Two PgBouncers in the cluster stand between Harbor and PostgreSQL, and keep a connection for each of Harbor's."""

from lab import settings
from lab.deployment import store_images
from lab.deployment.manifests.objects import Object, find, put_text
from lab.layouts import Layout
from lab.stores import postgresql

NAME = "pgbouncer"
_PORT = 6432
_USERS = "/etc/pgbouncer-users"
_CONFIGURATION = f"""\
[databases]
* = host={settings.LOAD_BALANCER} port={postgresql.PORT}
[pgbouncer]
listen_addr = *
listen_port = {_PORT}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {_USERS}/users.txt
ignore_startup_parameters = extra_float_digits
pool_mode = session
# Of these there have to be as many as Harbor may open: a client that finds none waits.
default_pool_size = 250
max_client_conn = 1000
# A database that is away is tried again soon (15 s unless told).
server_login_retry = 1
server_connect_timeout = 3
"""


def _put_poolers_between(objects: list[Object]) -> None:
    core = find(objects, "ConfigMap", "harbor-core")
    core["data"] |= {"POSTGRESQL_HOST": NAME, "POSTGRESQL_PORT": str(postgresql.PORT)}
    labels = {"app": NAME}
    metadata = {"name": NAME, "namespace": core["metadata"]["namespace"], "labels": labels}

    def made(kind: str, **content: object) -> Object:
        return {"apiVersion": "v1", "kind": kind, "metadata": {**metadata, "labels": dict(labels)}, **content}

    users = made("Secret", type="Opaque")
    put_text(users, "users.txt", f'"{postgresql.USER}" "{postgresql.PASSWORD}"\n')
    pod = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsUser": 10000},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(labels)},
            }
        ],
        "containers": [
            {
                "name": NAME,
                "image": store_images.POOLER,
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": _PORT}],
                "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
                "volumeMounts": [
                    {"name": "configuration", "mountPath": store_images.POOLER_CONFIGURATION},
                    {"name": "users", "mountPath": _USERS},
                ],
            }
        ],
        "volumes": [
            {"name": "configuration", "configMap": {"name": NAME}},
            {"name": "users", "secret": {"secretName": NAME}},
        ],
    }
    workload = made(
        "Deployment",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    )
    ports = [{"name": "tcp-postgresql", "port": postgresql.PORT, "targetPort": _PORT}]
    objects += [
        made("ConfigMap", data={"pgbouncer.ini": _CONFIGURATION}),
        users,
        made("Service", spec={"selector": dict(labels), "ports": ports}),
        {**workload, "apiVersion": "apps/v1"},
    ]


LAYOUT = Layout(
    about="two PgBouncers in the cluster between Harbor and PostgreSQL, by the session",
    change=_put_poolers_between,
    ensure=store_images.ensure_pooler,
    applicable=frozenset(
        {"configuration.stores-spread-over-nodes", "database.pooler-keeps-prepared-statements"}
    ),
)
