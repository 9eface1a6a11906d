"""TLS everywhere, by one private authority: the front door, Harbor's parts with each other, PostgreSQL, Redis.

Redis is reached as an ACL user, by Sentinels that speak TLS as well, and for jobs by the address that follows the
primary. But for the registry's cache: Debian's registry knows no Redis by TLS.
"""

from functools import partial

import yaml

from lab import authority, settings
from lab.deployment import front_door_tls
from lab.deployment.manifests import internal_tls
from lab.deployment.manifests.objects import Object, change_text, container_of, find, pod_of, put_text
from lab.layouts import Layout
from lab.stores import redis_sentinel

_NODE_PORT = 31779
_URL = f"https://{settings.NODES['node-1']}:{_NODE_PORT}"
_USER = f"{redis_sentinel.TLS_USER}:{redis_sentinel.TLS_PASSWORD}"
_SENTINELS = ",".join(f"{address}:{redis_sentinel.SENTINEL_TLS_PORT}" for address in settings.REDIS.values())
_BY_SENTINELS = f"rediss+sentinel://{_USER}@{_SENTINELS}/{redis_sentinel.MASTER_NAME}"
_BY_ADDRESS = f"rediss://{_USER}@{settings.LOAD_BALANCER}:{redis_sentinel.TLS_PORT}"
_FRONT_SECRET = "harbor-nginx"
_CERTIFICATES = "/etc/nginx/cert"
_BUNDLE = "private-authority"
"""The Secret with the authority that core, jobservice and registry are to trust (the chart: caBundleSecretName)."""


def _speak_tls(objects: list[Object]) -> None:
    front_door_tls.use(objects, _FRONT_SECRET, _URL)
    _open_door_with_tls(objects)
    issued = authority.pair("internal", [*internal_tls.hosts(), "localhost", "127.0.0.1"])
    internal_tls.speak_tls(
        objects,
        certificate=issued.certificate,
        key=issued.key,
        authority=authority.certificate_file().read_text(),
    )
    _trust_authority(objects)
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    core["POSTGRESQL_SSLMODE"] = "verify-full"
    core["_REDIS_URL_CORE"] = f"{_BY_SENTINELS}/0?idle_timeout_seconds=30"
    jobservice = find(objects, "ConfigMap", "harbor-jobservice")["data"]
    jobs = yaml.safe_load(jobservice["config.yml"])
    jobs["worker_pool"]["redis_pool"]["redis_url"] = f"{_BY_ADDRESS}/1"
    jobservice["config.yml"] = yaml.safe_dump(jobs, sort_keys=False)


def _open_door_with_tls(objects: list[Object]) -> None:
    """Harbor's own nginx, as the chart has it with a nodePort: http leads to https."""
    config_map = find(objects, "ConfigMap", "harbor-nginx")
    change_text(
        config_map,
        "nginx.conf",
        "    listen 8080;\n",
        f"    listen 8080;\n    return 308 https://$host:{_NODE_PORT}$request_uri;\n  }}\n\n"
        "  server {\n"
        "    listen 8443 ssl;\n"
        f"    ssl_certificate {_CERTIFICATES}/tls.crt;\n"
        f"    ssl_certificate_key {_CERTIFICATES}/tls.key;\n"
        "    ssl_protocols TLSv1.2 TLSv1.3;\n"
        "    ssl_session_cache shared:TLS:10m;\n",
    )
    service = find(objects, "Service", "harbor")["spec"]
    service["ports"].append({"name": "https", "port": 443, "targetPort": 8443, "nodePort": _NODE_PORT})
    pod, container = pod_of(objects, "harbor-nginx"), container_of(objects, "harbor-nginx")
    container["ports"].append({"containerPort": 8443})
    container["volumeMounts"].append({"name": "certificate", "mountPath": _CERTIFICATES})
    pod["volumes"].append({"name": "certificate", "secret": {"secretName": _FRONT_SECRET}})


def _trust_authority(objects: list[Object]) -> None:
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
    secret["metadata"] = front_door_tls.metadata(find(objects, "ConfigMap", "harbor-core"), _BUNDLE)
    put_text(secret, "ca.crt", authority.certificate_file().read_text())
    objects.append(secret)
    mount = {"name": "ca-bundle-certs", "mountPath": "/harbor_cust_cert/custom-ca.crt", "subPath": "ca.crt"}
    for workload in ("harbor-core", "harbor-jobservice", "harbor-registry"):
        pod = pod_of(objects, workload)
        pod["volumes"].append({"name": "ca-bundle-certs", "secret": {"secretName": _BUNDLE}})
        for container in pod["containers"]:
            container["volumeMounts"].append(dict(mount))


LAYOUT = Layout(
    about="TLS by a private authority: front door, Harbor's parts with each other, PostgreSQL, Redis and its Sentinels",
    change=_speak_tls,
    ensure=partial(front_door_tls.make_trusted, _URL),
    session_store=partial(redis_sentinel.Kind, tls=True),
    url=_URL,
    settings=lambda: {"ca_file": authority.certificate_file()},
    applicable=frozenset(
        {
            "configuration.front-door-certificate-valid-for-days",
            "configuration.internal-tls-valid-for-days",
            "expiry.authorities-valid-for-days",
            "expiry.certificates-not-about-to-end",
            "expiry.store-certificates-valid-for-days",
        }
    ),
)
