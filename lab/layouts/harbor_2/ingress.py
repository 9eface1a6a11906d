"""The chart's own way in (`expose.type: ingress`): no proxy of Harbor's, an ingress controller with TLS before it."""

from lab import authority, settings
from lab.deployment.manifests.objects import Object, find, pod_of, put_text
from lab.kubernetes import ingress_controller, nodes
from lab.layouts import Layout
from lab.machines import docker_daemon
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
    beside = find(objects, "ConfigMap", "harbor-core")["metadata"]
    objects[:] = [each for each in objects if each["metadata"].get("labels", {}).get("component") != "nginx"]
    objects += [_secret(beside), _ingress(beside)]
    find(objects, "ConfigMap", "harbor-core")["data"]["EXT_ENDPOINT"] = _URL
    core = pod_of(objects, "harbor-core")
    # From there core gives out the authority's certificate to users.
    core["volumes"].append({"name": "ca-download", "secret": {"secretName": _NAME}})
    core["containers"][0]["volumeMounts"].append({"name": "ca-download", "mountPath": "/etc/core/ca"})


def _secret(beside: Object) -> Object:
    issued = authority.pair("ingress", settings.NODES.values())
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": _metadata(beside),
    }
    put_text(secret, "tls.crt", issued.certificate)
    put_text(secret, "tls.key", issued.key)
    put_text(secret, "ca.crt", authority.certificate_file().read_text())
    return secret


def _ingress(beside: Object) -> Object:
    """Without a host, as `expose.ingress.hosts.core` left empty renders it: clients here know no names."""

    def path(prefix: str, service: str) -> Object:
        backend = {"service": {"name": service, "port": {"number": 80}}}
        return {"path": prefix, "pathType": "Prefix", "backend": backend}

    annotations = {
        f"{prefix}/{name}": value
        for prefix in ("ingress.kubernetes.io", "nginx.ingress.kubernetes.io")
        for name, value in (("proxy-body-size", "0"), ("ssl-redirect", "true"))
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {**_metadata(beside), "annotations": annotations},
        "spec": {
            "ingressClassName": ingress_controller.CLASS,
            "tls": [{"secretName": _NAME}],
            "rules": [{"http": {"paths": [path(*each) for each in _PATHS.items()]}}],
        },
    }


def _metadata(beside: Object) -> Object:
    """The namespace and the labels of the object that has this metadata, but for the part that it belongs to."""
    parts = ("component", "app.kubernetes.io/component")
    labels = {key: value for key, value in beside["labels"].items() if key not in parts}
    return {"name": _NAME, "namespace": beside["namespace"], "labels": labels}


def _make_trusted() -> None:
    """By docker and by the kubelets' containerd, as whoever sets up such machines does."""
    docker_daemon.trust(_URL, authority.certificate_file())
    for node in nodes.ALL.values():
        node.trust_registry(_URL, authority.certificate_file())


def _open_door() -> None:
    ingress_controller.serve(HARBOR_2.namespace, _NAME)


LAYOUT = Layout(
    about="no proxy of Harbor's: an ingress controller leads clients in, with TLS by a private authority",
    change=_lead_in_by_ingress,
    ensure=_make_trusted,
    complete=_open_door,
    url=_URL,
    settings=lambda: {"ca_file": authority.certificate_file()},
    applicable=frozenset({"configuration.front-door-not-on-one-pod"}),
    not_applicable=frozenset({"configuration.front-door-answers-on-every-node"}),
)
