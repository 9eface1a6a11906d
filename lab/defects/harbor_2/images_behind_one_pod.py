"""The registry reaches its object store by one pod of the cluster, as it does a MinIO of one server."""

import yaml

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, find
from lab.stores import object_store

_NAME, _PORT = "object-store", 9000
_CONFIGURATION = f"""\
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {{}}
http {{
  client_body_temp_path /tmp/client_body_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;
  access_log off;
  server {{
    listen {_PORT};
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
    # What the request was signed for.
    proxy_set_header Host $http_host;
    location / {{
      proxy_pass {object_store.URL};
    }}
  }}
}}
"""


def _lead_by_one_pod(objects: list[Object]) -> None:
    registry = find(objects, "ConfigMap", "harbor-registry")
    document = yaml.safe_load(registry["data"]["config.yml"])
    document["storage"]["s3"]["regionendpoint"] = f"http://{_NAME}:{_PORT}"
    # Clients know nothing of that name.
    document["storage"]["redirect"] = {"disable": True}
    registry["data"]["config.yml"] = yaml.safe_dump(document, sort_keys=False)
    labels = {"app": _NAME}
    metadata = {"name": _NAME, "namespace": registry["metadata"]["namespace"]}
    container = {
        "name": "nginx",
        "image": container_of(objects, "harbor-nginx")["image"],
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": _PORT}],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/nginx/nginx.conf", "subPath": "nginx.conf"}],
    }
    pod = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsUser": 10000},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": _NAME}}],
    }
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": dict(labels)},
        "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
    }
    objects += [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": dict(metadata),
            "data": {"nginx.conf": _CONFIGURATION},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": dict(metadata),
            "spec": {"selector": dict(labels), "ports": [{"port": _PORT}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**metadata, "labels": labels},
            "spec": spec,
        },
    ]


DEFECT = Defect(
    report="MinIO's charts: mode standalone, one replica; charts of NFS servers and of provisioners: one pod",
    shows="nothing, until that pod or its node is lost: then nothing is pushed or pulled, with all of Harbor well",
    layout="object-store",
    turns_red=frozenset({"storage.not-on-one-server"}),
    not_applicable=frozenset({"registry.redirect-leads-to-the-blob"}),
    hint_says=("MinIO: distributed",),
    change=_lead_by_one_pod,
)
