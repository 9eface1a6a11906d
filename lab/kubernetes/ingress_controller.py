"""An ingress controller: other people's nginx, in a namespace of its own, that leads clients to what an Ingress names.

It has the names and labels that ingress-nginx has, and is to be told from it by nobody who looks at objects. What it
does of ingress-nginx's work is what one Ingress of the lab needs: TLS with the Ingress's Secret, its paths, the size
of bodies, the way from http to https, and where clients go in the Ingress's status. It is no program that watches:
`serve` writes its configuration from the Ingress as it is now.
"""

import hashlib
import json
from typing import Any

from lab.kubernetes.control_plane import kubectl
from lab.waiting import NotYet

Object = dict[str, Any]

NAMESPACE = "ingress"
CLASS = "nginx"
HTTPS_NODE_PORT, HTTP_NODE_PORT = 31443, 31080
REPLICAS = 2
_NAME = "ingress-nginx-controller"
_IMAGE = "goharbor/nginx-photon:v2.15.2"
"""Any that the lab has, with nginx."""
_LABELS = {
    "app.kubernetes.io/name": "ingress-nginx",
    "app.kubernetes.io/instance": "ingress-nginx",
    "app.kubernetes.io/component": "controller",
}
_ANNOTATION = "nginx.ingress.kubernetes.io"
_FOLDER = "/etc/ingress"
_DEADLINE_S = 90


def serve(namespace: str, name: str) -> None:
    """Lead clients to what this Ingress names, and say in its status where they come in.

    Waits until every replica does. Raises CommandFailed, also where the Ingress, its Secret or a Service is missing.
    """
    ingress = _read("ingress", name, namespace)
    secret = _read("secret", ingress["spec"]["tls"][0]["secretName"], namespace)
    names = {path["backend"]["service"]["name"] for path in _paths(ingress)}
    addresses = {each: _read("service", each, namespace)["spec"]["clusterIP"] for each in names}
    objects = objects_of(configuration(ingress, addresses), secret["data"])
    listing = {"apiVersion": "v1", "kind": "List", "items": objects}
    kubectl("apply", "--filename=-", input=json.dumps(listing))
    _wait_until_rolled_out()
    # As ingress-nginx has it before a Service of type NodePort: the Service's own address.
    own = _read("service", _NAME, NAMESPACE)["spec"]["clusterIP"]
    status = {"status": {"loadBalancer": {"ingress": [{"ip": own}]}}}
    kubectl(
        "patch",
        "ingress",
        name,
        f"--namespace={namespace}",
        "--subresource=status",
        "--type=merge",
        f"--patch={json.dumps(status)}",
    )


def scale(replicas: int) -> None:
    """Have so many pods of it, and wait until there are. Raises CommandFailed."""
    kubectl("scale", f"deployment/{_NAME}", f"--namespace={NAMESPACE}", f"--replicas={replicas}")
    _wait_until_rolled_out()


def healthy() -> str:
    """What is there, as a sentence; raises NotYet when a pod of it is not Ready, CommandFailed without any."""
    ready = _read("deployment", _NAME, NAMESPACE)["status"].get("readyReplicas", 0)
    state = f"{ready} of {REPLICAS} pods of the ingress controller are Ready"
    if ready < REPLICAS:
        raise NotYet(state)
    return state


def configuration(ingress: Object, addresses: dict[str, str]) -> str:
    """The text of nginx.conf for an Ingress; `addresses` are those of the Services that it names.

    A Service stands in an upstream three times, so that nginx has a next one to try: kube-proxy chooses another pod
    each time. (ingress-nginx knows the pods, and tries the next of them.)
    """
    annotations = ingress["metadata"].get("annotations", {})
    body = annotations.get(f"{_ANNOTATION}/proxy-body-size", "1m")
    to_https = annotations.get(f"{_ANNOTATION}/ssl-redirect", "true") == "true"
    backends = sorted({_backend(path) for path in _paths(ingress)})
    upstreams = "\n".join(
        f"  upstream {service}-{port} {{\n"
        + f"    server {addresses[service]}:{port} max_fails=0;\n" * 3
        + "  }"
        for service, port in backends
    )
    locations = "\n".join(
        f"    location {path['path']} {{ proxy_pass http://{'-'.join(map(str, _backend(path)))}; }}"
        for path in _paths(ingress)
    )
    plain = f"    return 308 https://$host:{HTTPS_NODE_PORT}$request_uri;" if to_https else locations
    return f"""\
worker_processes auto;
worker_shutdown_timeout 45s;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;

events {{
  worker_connections 3096;
}}

http {{
  client_body_temp_path /tmp/client_body_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;

  log_format upstream '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
                      '${{request_time}}s from $upstream_addr ($upstream_status) "$http_user_agent"';
  access_log /dev/stdout upstream;
  server_tokens off;
  tcp_nodelay on;

{upstreams}

  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Scheme $scheme;

  # A body is taken in whole before it is passed on, an answer is passed on as it comes.
  proxy_request_buffering on;
  proxy_buffering off;
  client_max_body_size {body};

  proxy_next_upstream error timeout;
  proxy_next_upstream_tries 3;
  proxy_connect_timeout 2s;
  proxy_read_timeout 60s;
  proxy_send_timeout 60s;

  server {{
    listen 8443 ssl http2 default_server;
    ssl_certificate {_FOLDER}/tls/tls.crt;
    ssl_certificate_key {_FOLDER}/tls/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:TLS:10m;
{locations}
  }}

  server {{
    listen 8080 default_server;
{plain}
  }}

  server {{
    listen 10254;
    access_log off;
    return 200;
  }}
}}
"""


def objects_of(text: str, secret: dict[str, str]) -> list[Object]:
    """All that the controller is in the cluster, with this nginx.conf and the data of this TLS Secret."""
    digest = hashlib.sha256(json.dumps([text, secret], sort_keys=True).encode()).hexdigest()[:16]
    own = {"name": _NAME, "namespace": NAMESPACE, "labels": _LABELS}
    ports = [("http", 80, 8080, HTTP_NODE_PORT), ("https", 443, 8443, HTTPS_NODE_PORT)]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": _LABELS}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": CLASS, "labels": _LABELS},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": own, "data": {"nginx.conf": text}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": own,
            "data": {key: secret[key] for key in ("tls.crt", "tls.key")},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": own,
            "spec": {
                "type": "NodePort",
                "selector": _LABELS,
                "ports": [
                    {"name": name, "port": port, "targetPort": target, "nodePort": node_port}
                    for name, port, target, node_port in ports
                ],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": own,
            "spec": {
                "replicas": REPLICAS,
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "selector": {"matchLabels": _LABELS},
                "template": {
                    "metadata": {"labels": _LABELS, "annotations": {"harbor-lab/fingerprint": digest}},
                    "spec": _pod(),
                },
            },
        },
    ]


def _wait_until_rolled_out() -> None:
    kubectl(
        "rollout",
        "status",
        f"deployment/{_NAME}",
        f"--namespace={NAMESPACE}",
        f"--timeout={_DEADLINE_S}s",
        timeout_s=_DEADLINE_S + 10,
    )


def _pod() -> Object:
    probe = {"httpGet": {"path": "/healthz", "port": 10254}, "periodSeconds": 2, "timeoutSeconds": 2}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["pod-template-hash"],
        "labelSelector": {"matchLabels": _LABELS},
    }
    gone = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}
    lost = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    end = "sleep 5; kill -QUIT $(cat /tmp/nginx.pid); sleep 60"
    return {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {"runAsUser": 10000, "fsGroup": 10000},
        "topologySpreadConstraints": [spread],
        "tolerations": [{"key": key, **gone} for key in lost],
        "containers": [
            {
                "name": "controller",
                "image": _IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "args": ["nginx", "-c", f"{_FOLDER}/nginx.conf", "-g", "daemon off;"],
                "ports": [{"name": "http", "containerPort": 8080}, {"name": "https", "containerPort": 8443}],
                "readinessProbe": probe,
                # What is in flight is finished, once nobody is sent here any more.
                "lifecycle": {"preStop": {"exec": {"command": ["/bin/sh", "-c", end]}}},
                "volumeMounts": [
                    {
                        "name": "configuration",
                        "mountPath": f"{_FOLDER}/nginx.conf",
                        "subPath": "nginx.conf",
                    },
                    {"name": "tls", "mountPath": f"{_FOLDER}/tls"},
                ],
            }
        ],
        "volumes": [
            {"name": "configuration", "configMap": {"name": _NAME}},
            {"name": "tls", "secret": {"secretName": _NAME}},
        ],
    }


def _paths(ingress: Object) -> list[Object]:
    return [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]


def _backend(path: Object) -> tuple[str, int]:
    service = path["backend"]["service"]
    return service["name"], service["port"]["number"]


def _read(kind: str, name: str, namespace: str) -> Object:
    return json.loads(kubectl("get", kind, name, f"--namespace={namespace}", "--output=json"))
