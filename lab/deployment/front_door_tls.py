"""What a front door with TLS needs, whoever holds it open: a Secret with its certificate, and clients that trust it."""

from lab import authority, settings
from lab.deployment.manifests.objects import Object, find, pod_of, put_text
from lab.kubernetes import nodes
from lab.machines import docker_daemon


def use(objects: list[Object], secret: str, url: str) -> None:
    """Add the Secret, for a door at the nodes' addresses; let core name the URL, and give the authority out to users.

    So the chart renders it (`expose.tls`, `externalURL`).
    """
    core = find(objects, "ConfigMap", "harbor-core")
    issued = authority.pair(secret, settings.NODES.values())
    made: Object = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
    made["metadata"] = metadata(core, secret)
    put_text(made, "tls.crt", issued.certificate)
    put_text(made, "tls.key", issued.key)
    put_text(made, "ca.crt", authority.certificate_file().read_text())
    objects.append(made)
    core["data"]["EXT_ENDPOINT"] = url
    pod = pod_of(objects, "harbor-core")
    pod["volumes"].append({"name": "ca-download", "secret": {"secretName": secret}})
    (container,) = pod["containers"]
    container["volumeMounts"].append({"name": "ca-download", "mountPath": "/etc/core/ca"})


def metadata(beside: Object, name: str) -> Object:
    """Of an object of the same release as `beside`, that belongs to no part of it."""
    parts = ("component", "app.kubernetes.io/component")
    labels = {key: value for key, value in beside["metadata"]["labels"].items() if key not in parts}
    return {"name": name, "namespace": beside["metadata"]["namespace"], "labels": labels}


def make_trusted(url: str) -> None:
    """By docker and by the kubelets' containerd, as whoever sets up such machines does."""
    docker_daemon.trust(url, authority.certificate_file())
    for node in nodes.ALL.values():
        node.trust_registry(url, authority.certificate_file())
