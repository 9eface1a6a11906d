"""The front door's port on the nodes: clients, and load balancers before them, may come to any."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, NeedMissing, NoAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.node_kinds import is_virtual, operating_system, spread_sample
from harbor_verify.model.roles import Role
from harbor_verify.target import Target

_MOST_NODES = 64
_AT_ONCE = 16
"""A node that is silent is waited for: one after the other, hundreds of them would take an hour."""

_KUBELET_PORT = 10250
"""Where a node does not say another."""


@check(
    "configuration.front-door-answers-on-every-node",
    hint="On the node that is named: does what serves nodePorts run (kube-proxy, or the network plugin in its place, "
    "as Cilium does: `kubectl -n kube-system get pods -o wide`), does the firewall let the nodePort in, do packets to "
    "pods on other nodes arrive? An error of Harbor's own (502, 503): see "
    "configuration.services-select-every-ready-replica.",
    source="Kubernetes: Service of type NodePort, externalTrafficPolicy",
    needs=("nodes",),
    requires=(Role.FRONT_DOOR,),
    builds_on=("configuration.services-select-every-ready-replica", "configuration.components-replicated"),
)
def test_the_front_door_answers_on_every_node(
    harbor: Target, findings: Findings, blocked, not_applicable, tell
):
    """Harbor answers on the front door's port of every Ready node, where clients use that port.

    Source: Kubernetes, NodePort. With externalTrafficPolicy Local only the nodes with a Ready replica are to answer.
    Virtual nodes and those of another system than Linux are not asked; of many nodes a sample is. A node that cannot be
    reached at all from outside the cluster is no verdict.
    """
    service, port = _node_port(harbor, not_applicable)
    nodes, note = _nodes(harbor, service)
    if note:
        tell(note)
    doors = {node.metadata.name: address for node in nodes if (address := _internal_address(node))}
    expected = "GET / is answered by Harbor"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda door: _ask(harbor, port, *door), doors.items()))
    refusals = dict(zip(doors, answers, strict=True))
    # Whether what nobody could be asked of is Harbor's fault is known when all nodes were asked.
    unreached = {node: r for node, r in refusals.items() if isinstance(r, NoAnswer) and not r.sent}
    if unreached and len(unreached) == len(doors) and _answers(harbor):
        first = next(iter(unreached.values()))
        blocked(f"no node's address can be reached from here, though {harbor.access.url} answers: {first}")
    silent = {}
    if len(unreached) < len(doors) and not harbor.kubernetes.inside:
        silent = _silent([node for node in nodes if node.metadata.name in unreached], port, harbor.settings)
    for node, refusal in refusals.items():
        with findings.about(_door(node, doors[node], port), expected):
            if node in silent:
                raise NeedMissing(silent[node])
            if refusal is not None:
                raise refusal


def _ask(harbor, port, node, address):
    """What one node's port says in place of Harbor's page; None where that is what comes."""
    link = harbor.new_node_link(node, address, port.node_port, scheme=urlsplit(harbor.access.url).scheme)
    with closing(link):
        try:
            harbor.profile.api(link).require_page()
        except AnswerError as refusal:
            return refusal
    return None


def _silent(unreached, port, settings):
    """Of the nodes whose port was not reached from outside the cluster, those of which nothing can be said, by name,
    and why: a firewall before that one address is not Harbor's.

    A connection that is refused is an answer of the node's. So is whatever the kubelet's port does: then it is the
    nodePort that is closed.
    """

    def look(node):
        endpoints = node.status.daemon_endpoints
        kubelet = endpoints and endpoints.kubelet_endpoint and endpoints.kubelet_endpoint.port
        address, ports = _internal_address(node), (port.node_port, kubelet or _KUBELET_PORT)
        if any(_is_answered(address, each, settings.connect_timeout_s) for each in ports):
            return None
        return (
            f"node {node.metadata.name}: nothing answers from here at {address}, neither port {ports[0]} nor the "
            f"kubelet's {ports[1]}, while other nodes do. The way there may be closed to this machine alone; from a "
            "pod in the cluster it can be seen"
        )

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        reasons = pool.map(look, unreached)
        return {node.metadata.name: why for node, why in zip(unreached, reasons, strict=True) if why}


def _is_answered(address, port, timeout_s):
    """Whether a connection comes about, or is refused."""
    try:
        socket.create_connection((address, port), timeout_s).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def _door(node, address, port):
    return f"node {node} ({address}:{port.node_port})"


def _node_port(harbor, not_applicable):
    """The Service that opens the front door on every node, and its port: that which the URL names.

    A URL of another port leads to a load balancer. Which nodes that one uses, and whether it uses nodePorts at all,
    it alone knows.
    """
    workload, url = harbor.workload(Role.FRONT_DOOR), harbor.access.url
    open_ports = [
        (s, p) for s in harbor.deployment.services_of(workload) for p in s.spec.ports or () if p.node_port
    ]
    if not open_ports:
        not_applicable(f"no Service of {workload.object} has a nodePort: it is reached in another way")
    for service, port in open_ports:
        if port.node_port == urlsplit(url).port:
            return service, port
    ports = ", ".join(str(port.node_port) for _, port in open_ports)
    return not_applicable(
        f"clients come by {url}, which is none of the nodePorts of {workload.object} ({ports}): what stands before "
        "the nodes chooses one, and whether each node answers there was NOT verified"
    )


def _nodes(harbor, service):
    """The nodes that are to answer and are asked; and which are not asked, in words."""
    nodes = harbor.deployment.nodes()
    if service.spec.external_traffic_policy == "Local":
        with_replica = {r.node for r in harbor.deployment.replicas(Role.FRONT_DOOR) if r.ready}
        nodes = [node for node in nodes if node.metadata.name in with_replica]
    fitting = [node for node in nodes if not is_virtual(node) and operating_system(node) == "linux"]
    asked = spread_sample(fitting, _MOST_NODES)
    left_out = [f"{len(fitting) - len(asked)} more like them"] if len(asked) < len(fitting) else []
    left_out += [f"{len(nodes) - len(fitting)} of another kind"] if len(fitting) < len(nodes) else []
    return asked, f"{len(asked)} nodes are asked; not asked: {', '.join(left_out)}" if left_out else ""


def _internal_address(node):
    """Its first InternalIP; None where it has none."""
    return next((each.address for each in node.status.addresses or () if each.type == "InternalIP"), None)


def _answers(harbor):
    try:
        harbor.front_door.http.get("/")
    except NoAnswer:
        return False
    return True
