"""How clients come in to Harbor, or to its own proxy: Ingress and HTTPRoute, and what serves them.

Source: Kubernetes: Ingress status.loadBalancer; Gateway API: HTTPRoute spec.parentRefs, Gateway
status.addresses.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes, needing
from harbor_verify.errors import NeedMissing
from harbor_verify.model.addresses import DEFAULT_PORTS

_GROUP, _VERSION = "gateway.networking.k8s.io", "v1"
WEB_PORTS = frozenset(DEFAULT_PORTS.values())
_SERVICES_PER_PAGE = 1000
"""Each is 1 KB or so. No selector finds one by an address of its load balancer, so all of them are looked through."""


def ingresses_to(
    kubernetes: Kubernetes, namespace: str, services: Collection[str], host: str = ""
) -> list[client.V1Ingress]:
    """The Ingresses of a namespace that lead to one of these Services, by this host. Raises TargetUnreachable."""
    networking = client.NetworkingV1Api(kubernetes.core.api_client)
    listed = kubernetes.ask(
        f"list Ingresses in {namespace}", networking.list_namespaced_ingress, namespace
    ).items
    return [
        each
        for each in listed
        if not _backends(each, lambda named: _is_for(host, named)).isdisjoint(services)
    ]


def services_by_ingress(kubernetes: Kubernetes, host: str) -> set[tuple[str, str]]:
    """(namespace, Service) of each that Ingresses of the cluster lead to by this host.

    None where we may not list them. Raises TargetUnreachable.
    """
    networking = client.NetworkingV1Api(kubernetes.core.api_client)
    what = "list Ingresses in all namespaces"
    with suppress(NeedMissing), needing(kubernetes, what):
        return {
            (ingress.metadata.namespace, name)
            for ingress in kubernetes.pages(what, networking.list_ingress_for_all_namespaces)
            for name in _backends(ingress, lambda named: named == host, by_default=False)
        }
    return set()


def routes_to(
    kubernetes: Kubernetes, namespace: str, services: Collection[str], host: str = ""
) -> list[Mapping[str, Any]]:
    """The HTTPRoutes of a namespace that lead to one of these Services, by this host.

    None where the cluster has no Gateway API, or we may not list them. Raises TargetUnreachable.
    """
    custom = client.CustomObjectsApi(kubernetes.core.api_client)
    with kubernetes.asking(f"list HTTPRoutes in {namespace}"):
        try:
            listed = custom.list_namespaced_custom_object(_GROUP, _VERSION, namespace, "httproutes")
        except client.ApiException as answer:
            if answer.status in (403, 404):
                return []
            raise
    found = [each for each in listed.get("items") or () if not _targets(each).isdisjoint(services)]
    return [
        each for each in found if any(_is_for(host, name) for name in each["spec"].get("hostnames") or [None])
    ]


def addresses_of_ingress(ingress: client.V1Ingress) -> set[str]:
    """Where clients of an Ingress go, as its controller says; empty where it says nothing."""
    balancer = ingress.status.load_balancer if ingress.status else None
    return {each.ip or each.hostname for each in (balancer.ingress if balancer else None) or ()}


def addresses_of_route(kubernetes: Kubernetes, route: Mapping[str, Any]) -> set[str]:
    """Where clients of an HTTPRoute go, as its Gateways say. Raises NeedMissing, TargetUnreachable."""
    custom = client.CustomObjectsApi(kubernetes.core.api_client)
    own, found = route["metadata"]["namespace"], set()
    for parent in route["spec"].get("parentRefs") or ():
        if parent.get("kind", "Gateway") != "Gateway":
            continue
        namespace, name = parent.get("namespace", own), parent["name"]
        with needing(kubernetes, f"get Gateways in namespace {namespace}"):
            gateway = custom.get_namespaced_custom_object(_GROUP, _VERSION, namespace, "gateways", name)
        found |= {each["value"] for each in gateway.get("status", {}).get("addresses") or ()}
    return found


def services_at(
    kubernetes: Kubernetes, addresses: Collection[str], ports: Collection[int]
) -> list[client.V1Service]:
    """The Services of the cluster that answer at one of these addresses, one of those that lead to the same pods.

    An address of its own is a Service's at any port; one that was given to it, or its load balancer's, several may
    share (with k3s all have those of the nodes), so it answers there at these TCP `ports` alone: UDP is HTTP/3, beside
    a Service of TCP. Raises NeedMissing, with the right, and TargetUnreachable.
    """
    what = "list Services in all namespaces"
    with needing(kubernetes, what):
        listed = kubernetes.pages(
            what, kubernetes.core.list_service_for_all_namespaces, most=_SERVICES_PER_PAGE
        )
        there = [each for each in listed if not _addresses(each, ports).isdisjoint(addresses)]
    return list({_chosen_by(each): each for each in there}.values())


def _addresses(service: client.V1Service, ports: Collection[int]) -> set[str]:
    """Where it answers at one of these ports."""
    spec = service.spec
    own = {spec.cluster_ip, *(spec.cluster_ips or ())} - {"None", None, ""}
    if not any(each.port in ports and each.protocol in (None, "TCP") for each in spec.ports or ()):
        return own
    balancer = service.status.load_balancer if service.status else None
    told = {each.ip or each.hostname for each in (balancer.ingress if balancer else None) or ()}
    return own | told | {*(spec.external_ips or ())}


def _chosen_by(service: client.V1Service) -> tuple[object, ...]:
    """What is the same for Services that lead to the same pods."""
    selector = service.spec.selector
    return service.metadata.namespace, *(sorted(selector.items()) if selector else [service.metadata.name])


def _is_for(host: str, named: str | None) -> bool:
    """Whether requests for `host` ("": any) come by a rule for the host `named` (*.example: a name below; None: all).

    Source: Kubernetes: Ingress, Hostname wildcards.
    """
    return (
        not host or not named or host == named or (named[:2] == "*." and host.partition(".")[2] == named[2:])
    )


def _backends(
    ingress: client.V1Ingress, is_asked: Callable[[str | None], bool], *, by_default: bool = True
) -> set[str]:
    """The Services that it leads to by the hosts that are asked for, and what it has for whatever no rule is for."""
    rules = [rule for rule in ingress.spec.rules or () if is_asked(rule.host)]
    backends = [path.backend for rule in rules if rule.http for path in rule.http.paths or ()]
    if by_default and ingress.spec.default_backend:
        backends.append(ingress.spec.default_backend)
    return {backend.service.name for backend in backends if backend.service}


def _targets(route: Mapping[str, Any]) -> set[str]:
    rules = route.get("spec", {}).get("rules") or ()
    return {each.get("name", "") for rule in rules for each in rule.get("backendRefs") or ()}
