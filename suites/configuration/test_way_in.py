"""What stands before Harbor, or before its own proxy, where clients come in."""

from harbor_verify.checks import check
from harbor_verify.errors import CannotTell, RightMissing
from harbor_verify.findings import Findings
from harbor_verify.model import ways_in
from harbor_verify.model.backing import backing_of_service
from harbor_verify.model.roles import Role
from harbor_verify.redundancy import once_two_answer
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "configuration.front-door-not-on-one-pod",
    hint="Nobody reaches Harbor while the one pod of the ingress controller (or Gateway) is away, however "
    "many replicas Harbor itself has. Give its Deployment two replicas or more, spread over nodes, with a "
    "PodDisruptionBudget; whoever runs the cluster may have to do that. A DaemonSet with one pod: let it "
    "run on more nodes.",
    source="Kubernetes: Ingress status.loadBalancer, Service status.loadBalancer, ownerReferences; "
    "Gateway API: status.addresses; Node status.addresses",
)
def test_what_clients_come_in_by_is_more_than_one_pod(
    harbor: Target, findings: Findings, settings: Settings, not_applicable
):
    """The ingress controller, or Gateway, that leads clients to Harbor, or to its own proxy, has more than one pod.

    Source: the addresses that its status tells, and the Services of the cluster that have them, or the nodes: where
    a controller listens on its nodes, these are the nodes that it has pods on. Of a proxy of Harbor's own with nothing
    before it configuration.components-replicated says it.
    """
    way, addresses = _way(harbor, not_applicable)
    services = ways_in.services_at(harbor.kubernetes, addresses, ways_in.WEB_PORTS) if addresses else []
    if addresses and not services and (nodes := _nodes_at(harbor, addresses)):
        with findings.about(way, "clients reach it on two nodes or more") as reached:
            if len(nodes) < 2:
                reached.wrong(
                    f"its only address is that of node {nodes[0]}, where its one controller listens"
                )
        return
    if len(services) != 1:
        seen = f"{len(services)} Services of this cluster have that address" if addresses else ""
        where = f"is reached at {', '.join(sorted(addresses))}; {seen}" if addresses else "tells no address"
        not_applicable(
            f"{way} {where}. What serves it cannot be known from here, so whether it is more than one was "
            "NOT verified"
        )
    (service,) = services
    name = f"Service {service.metadata.namespace}/{service.metadata.name}"
    try:
        backing = once_two_answer(
            name,
            lambda: backing_of_service(harbor.kubernetes, service),
            timeout_s=settings.converge_timeout_s,
        )
    except CannotTell as nothing:
        with findings.about(name, "two pods or more serve clients") as serving:
            serving.unknown(str(nothing))
        return
    if not backing.in_cluster:
        not_applicable(
            f"{way} is served by {name}, behind which is no pod that could be seen: it was NOT verified"
        )
    owner = backing.owners[0]
    with findings.about(owner.object, "two pods or more serve clients") as serving:
        if len(backing.pods) < 2:
            serving.wrong(f"1 pod behind {name}, by which {way} is served ({backing})")
        elif len(backing.ready) < 2:
            away = ", ".join(sorted({*backing.pods} - {*backing.ready}))
            serving.wrong(
                f"{len(backing.ready)} Ready of {len(backing.pods)} pods behind {name}, by which {way} is served "
                f"({backing}); not Ready: {away}"
            )


def _nodes_at(harbor, addresses):
    """The nodes that have these addresses: a controller that listens on its nodes tells them. Empty: not all are of
    nodes, or there is one node only.
    """
    of_nodes = harbor.deployment.nodes_by_address()
    several = len(set(of_nodes.values())) > 1
    return sorted({of_nodes[each] for each in addresses}) if several and addresses <= of_nodes.keys() else []


def _way(harbor, not_applicable):
    """What leads clients to Harbor, and the addresses that it tells."""
    kubernetes, namespace = harbor.kubernetes, harbor.namespace
    behind = harbor.services_for_clients()
    own = harbor.workload(Role.FRONT_DOOR).object if Role.FRONT_DOOR in harbor.deployment.workloads else ""
    # Before a proxy of Harbor's own what leads there by another name or port than clients use is not their way.
    hosts = [harbor.host] if harbor.may_be_behind_an_ingress else []
    for host in hosts if own else [harbor.host, ""]:
        for ingress in _ingresses(harbor, behind, host, own, not_applicable):
            return f"Ingress {namespace}/{ingress.metadata.name}", ways_in.addresses_of_ingress(ingress)
        for route in ways_in.routes_to(kubernetes, namespace, behind, host):
            name = f"HTTPRoute {namespace}/{route['metadata']['name']}"
            return name, ways_in.addresses_of_route(kubernetes, route)
    if own:
        not_applicable(
            f"clients come in by Harbor's own {own}: configuration.components-replicated judges it"
        )
    return not_applicable(
        f"no Ingress and no HTTPRoute of namespace {namespace} leads to Harbor: what stands at {harbor.url} "
        "cannot be known from here, and was NOT verified"
    )


def _ingresses(harbor, behind, host, own, not_applicable):
    try:
        return ways_in.ingresses_to(harbor.kubernetes, harbor.namespace, behind, host)
    except RightMissing as missing:
        if not own:
            raise
        return not_applicable(
            f"clients come in by Harbor's own {own}, which configuration.components-replicated judges; whether an "
            f"Ingress stands before it was NOT verified: {missing}"
        )
