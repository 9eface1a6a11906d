"""The front door's port on the nodes: clients, and load balancers before them, may come to any."""

from contextlib import closing
from urllib.parse import urlsplit

from harbor_verify.checks import check
from harbor_verify.errors import NoAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.target import Target


@check(
    "configuration.front-door-answers-on-every-node",
    hint="On the node that is named: does kube-proxy run (`kubectl -n kube-system get pods -o wide`), does the "
    "firewall let the nodePort in, do packets to pods on other nodes arrive? An error of Harbor's own (502, 503): "
    "see configuration.services-select-every-ready-replica.",
    source="Kubernetes: Service of type NodePort, externalTrafficPolicy",
    needs=("nodes",),
    requires=(Role.FRONT_DOOR,),
    builds_on=("configuration.services-select-every-ready-replica", "configuration.components-replicated"),
)
def test_the_front_door_answers_on_every_node(harbor: Target, findings: Findings, blocked, not_applicable):
    """Harbor answers on the front door's port of every Ready node.

    Source: Kubernetes, NodePort. With externalTrafficPolicy Local only the nodes with a Ready replica are to answer.
    """
    service, port = _node_port(harbor, not_applicable)
    doors = _addresses(harbor, service)
    unreached = {}
    for node, address in doors.items():
        scheme = _scheme(port, harbor.access.url)
        link = harbor.new_node_link(node, address, port.node_port, scheme=scheme)
        with closing(link), findings.about(_door(node, address, port), "GET / is answered by Harbor"):
            try:
                harbor.profile.api(link).require_page()
            except NoAnswer as silent:
                if silent.sent:
                    raise
                # Whether that is Harbor's fault is known when all nodes were asked.
                unreached[node] = silent
    if unreached and len(unreached) == len(doors) and _answers(harbor):
        first = next(iter(unreached.values()))
        blocked(f"no node's address can be reached from here, though {harbor.access.url} answers: {first}")
    for node, no_answer in unreached.items():
        findings.wrong(_door(node, doors[node], port), "GET / is answered by Harbor", str(no_answer))


def _door(node, address, port):
    return f"node {node} ({address}:{port.node_port})"


def _node_port(harbor, not_applicable):
    """The Service that opens the front door on every node, and its port."""
    workload = harbor.workload(Role.FRONT_DOOR)
    open_ports = [
        (s, p) for s in harbor.deployment.services_of(workload) for p in s.spec.ports or () if p.node_port
    ]
    if not open_ports:
        not_applicable(f"no Service of {workload.object} has a nodePort: it is reached in another way")
    # Of several that which is in use, else the first.
    used = urlsplit(harbor.access.url).port
    return next((each for each in open_ports if each[1].node_port == used), open_ports[0])


def _scheme(port, url):
    """That of the front door where it is this port; behind a load balancer TLS may have ended before."""
    parts = urlsplit(url)
    if parts.port == port.node_port:
        return parts.scheme
    return "https" if port.port == 443 or "https" in (port.name or "") else "http"


def _addresses(harbor, service):
    """The InternalIP of each node that is to answer, by the node's name."""
    nodes = harbor.deployment.nodes()
    if service.spec.external_traffic_policy == "Local":
        with_replica = {r.node for r in harbor.deployment.replicas(Role.FRONT_DOOR) if r.ready}
        nodes = [node for node in nodes if node.metadata.name in with_replica]
    addresses = {}
    for node in nodes:
        internal = [a.address for a in node.status.addresses or () if a.type == "InternalIP"]
        if internal:
            addresses[node.metadata.name] = internal[0]
    return addresses


def _answers(harbor):
    try:
        harbor.front_door.http.get("/")
    except NoAnswer:
        return False
    return True
