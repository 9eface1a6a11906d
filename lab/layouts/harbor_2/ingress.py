"""The chart's own way in (`expose.type: ingress`): no proxy of Harbor's, an ingress controller with TLS before it."""

from functools import partial

from lab import authority, settings
from lab.deployment import front_door_tls
from lab.deployment.manifests.objects import Object, find
from lab.kubernetes import ingress_controller
from lab.layouts import Layout
from lab.profiles import HARBOR_2

_URL = f"https://{settings.NODES['node-1']}:{ingress_controller.HTTPS_NODE_PORT}"
_NAME = "harbor-ingress"
"""Of the Ingress, and of the Secret with its certificate."""
_PATHS = {
    "/api/": "harbor-core",
    "/service/": "harbor-core",
    "/v2/": "harbor-core",
    "/c/": "harbor-core",
    "/": "harbor-portal",
}


def _lead_in_by_ingress(objects: list[Object]) -> None:
    objects[:] = [each for each in objects if each["metadata"].get("labels", {}).get("component") != "nginx"]
    front_door_tls.use(objects, _NAME, _URL)
    objects.append(_ingress(objects))


def _ingress(objects: list[Object]) -> Object:
    """Without a host, as `expose.ingress.hosts.core` left empty renders it: clients here know no names."""

    def path(prefix: str, service: str) -> Object:
        backend = {"service": {"name": service, "port": {"number": 80}}}
        return {"path": prefix, "pathType": "Prefix", "backend": backend}

    annotations = {
        f"{prefix}/{name}": value
        for prefix in ("ingress.kubernetes.io", "nginx.ingress.kubernetes.io")
        for name, value in (("proxy-body-size", "0"), ("ssl-redirect", "true"))
    }
    metadata = front_door_tls.metadata(find(objects, "ConfigMap", "harbor-core"), _NAME)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {**metadata, "annotations": annotations},
        "spec": {
            "ingressClassName": ingress_controller.CLASS,
            "tls": [{"secretName": _NAME}],
            "rules": [{"http": {"paths": [path(*each) for each in _PATHS.items()]}}],
        },
    }


LAYOUT = Layout(
    about="no proxy of Harbor's: an ingress controller leads clients in, with TLS by a private authority",
    change=_lead_in_by_ingress,
    ensure=partial(front_door_tls.make_trusted, _URL),
    complete=partial(ingress_controller.serve, HARBOR_2.namespace, _NAME),
    healthy=ingress_controller.healthy,
    url=_URL,
    settings=lambda: {"ca_file": authority.certificate_file()},
    applicable=frozenset(
        {
            "configuration.front-door-certificate-valid-for-days",
            "configuration.front-door-not-on-one-pod",
            "expiry.authorities-valid-for-days",
            "expiry.certificates-not-about-to-end",
        }
    ),
    not_applicable=frozenset({"configuration.front-door-answers-on-every-node"}),
)
