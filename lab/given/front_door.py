"""The front door: the lab has no load balancer and no names; clients come to a port of each node, by its address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind
from lab.errors import LabError
from lab.given import text
from lab.given.secrets import set_secret


@dataclass(frozen=True)
class Doors:
    """What the lab can open: URLs, without a slash at their ends, and a certificate for those with TLS."""

    http: str
    https: str
    """At Harbor's own nginx."""
    ingress: str
    """At the lab's ingress controller."""
    ingress_class: str
    certificate: Mapping[str, str] = field(repr=False)
    """tls.crt, tls.key and ca.crt, PEM."""


@dataclass(frozen=True)
class Door:
    """The one that these manifests have."""

    url: str
    ingress: str = ""
    """The name of the Ingress that leads in; empty: none does."""


def adapt(objects: list[Object], doors: Doors) -> tuple[Door, list[str]]:
    """Open the front door that these objects have, and tell Harbor its URL; what was changed, in sentences.

    Raises LabError where there is neither Harbor's own proxy nor an Ingress.
    """
    proxy = _proxy(objects)
    if proxy:
        door, notes = _open_proxy(objects, proxy, doors)
    else:
        door, notes = _open_ingress(objects, doors)
    former = {variable.value for variable in text.named(objects, "EXT_ENDPOINT")} - {door.url}
    for variable in text.named(objects, "EXT_ENDPOINT"):
        variable.value = door.url
    return door, [*notes, *(f"clients come to {door.url}, not to {each}" for each in sorted(former))]


def _proxy(objects: list[Object]) -> Object | None:
    """The workload that is Harbor's own nginx; the portal's is not it."""
    return next(
        (
            workload
            for workload in of_kind(objects, *WORKLOADS)
            if any(
                "nginx-photon" in container["image"] and container["name"] == "nginx"
                for container in workload["spec"]["template"]["spec"]["containers"]
            )
        ),
        None,
    )


def _open_proxy(objects: list[Object], proxy: Object, doors: Doors) -> tuple[Door, list[str]]:
    labels = proxy["spec"]["template"]["metadata"].get("labels") or {}
    services = [
        service
        for service in of_kind(objects, "Service")
        if (service["spec"].get("selector") or {"": ""}).items() <= labels.items()
    ]
    if not services:
        raise LabError(f"no Service of these manifests leads to {proxy['metadata']['name']}")
    specification = services[0]["spec"]
    certificate = _certificate_of(proxy)
    url = doors.https if certificate else doors.http
    wanted = (443, "https") if certificate else (80, "http")
    ports = specification["ports"]
    port = next((each for each in ports if {each["port"], each.get("name")} & set(wanted)), ports[0])
    for each in ports:
        each.pop("nodePort", None)
    port["nodePort"] = urlsplit(url).port
    former = specification.get("type", "ClusterIP")
    for name in (
        "clusterIP",
        "clusterIPs",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "loadBalancerClass",
    ):
        specification.pop(name, None)
    specification["type"] = "NodePort"
    notes = [f"Service {services[0]['metadata']['name']} ({former}): port {port['nodePort']} of each node"]
    if certificate:
        set_secret(objects, certificate, doors.certificate)
        notes.append(f"Secret {certificate}: a certificate of the lab's for the nodes' addresses")
    return Door(url), notes


def _certificate_of(proxy: Object) -> str | None:
    """The Secret that the proxy has its certificate from, where it speaks TLS."""
    pod = proxy["spec"]["template"]["spec"]
    folders = {
        mount["name"]
        for container in pod["containers"]
        for mount in container.get("volumeMounts") or []
        if mount["mountPath"].startswith("/etc/nginx/cert")
    }
    return next(
        (
            volume["secret"]["secretName"]
            for volume in pod.get("volumes") or []
            if volume["name"] in folders and "secret" in volume
        ),
        None,
    )


def _open_ingress(objects: list[Object], doors: Doors) -> tuple[Door, list[str]]:
    ingresses = of_kind(objects, "Ingress")
    if not ingresses:
        raise LabError(
            "these manifests have neither Harbor's nginx nor an Ingress: the lab can carry expose.type ingress, "
            "clusterIP, nodePort and loadBalancer"
        )
    ingress = max(ingresses, key=lambda each: len(_paths(each)))
    notes = [
        f"Ingress {each['metadata']['name']} is left out: clients come by {ingress['metadata']['name']}"
        for each in ingresses
        if each is not ingress
    ]
    objects[:] = [each for each in objects if each["kind"] != "Ingress" or each is ingress]
    specification = ingress["spec"]
    former = specification.get("ingressClassName") or "default"
    hosts = sorted({str(rule.get("host") or "any host") for rule in specification["rules"]})
    secret = next((each["secretName"] for each in specification.get("tls") or [] if "secretName" in each), "")
    specification["ingressClassName"] = doors.ingress_class
    specification["rules"] = [{"http": {"paths": _paths(ingress)}}]
    specification["tls"] = [{"secretName": secret or f"{ingress['metadata']['name']}-tls"}]
    set_secret(objects, specification["tls"][0]["secretName"], doors.certificate)
    notes.append(
        f"Ingress {ingress['metadata']['name']} (class {former}, {', '.join(hosts)}): the lab's ingress controller, "
        "with TLS by an authority of the lab's"
    )
    return Door(doors.ingress, ingress["metadata"]["name"]), notes


def _paths(ingress: Object) -> list[Object]:
    return [
        path
        for rule in ingress["spec"].get("rules") or []
        for path in (rule.get("http") or {}).get("paths", [])
    ]
