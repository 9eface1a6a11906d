"""The front door's port on the nodes: clients, and load balancers before them, may come to any."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, NoAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.node_kinds import is_virtual, operating_system, spread_sample
from harbor_verify.model.roles import Role
from harbor_verify.target import Target

_MOST_NODES = 64
_AT_ONCE = 16
"""A node that is silent is waited for: one after the other, hundreds of them would take an hour."""


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
    Virtual nodes and those of another system than Linux are not asked; of many nodes a sample is.
    """
    service, port = _node_port(harbor, not_applicable)
    doors, note = _addresses(harbor, service)
    if note:
        tell(note)
    expected = "GET / is answered by Harbor"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda door: _ask(harbor, port, *door), doors.items()))
    refusals = dict(zip(doors, answers, strict=True))
    # Whether what nobody could be asked of is Harbor's fault is known when all nodes were asked.
    unreached = [r for r in refusals.values() if isinstance(r, NoAnswer) and not r.sent]
    if unreached and len(unreached) == len(doors) and _answers(harbor):
        blocked(
            f"no node's address can be reached from here, though {harbor.access.url} answers: {unreached[0]}"
        )
    for node, refusal in refusals.items():
        with findings.about(_door(node, doors[node], port), expected):
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


def _addresses(harbor, service):
    """The InternalIP of each node that is to answer, by the node's name; and which nodes are not asked, in words."""
    nodes = harbor.deployment.nodes()
    if service.spec.external_traffic_policy == "Local":
        with_replica = {r.node for r in harbor.deployment.replicas(Role.FRONT_DOOR) if r.ready}
        nodes = [node for node in nodes if node.metadata.name in with_replica]
    fitting = [node for node in nodes if not is_virtual(node) and operating_system(node) == "linux"]
    asked = spread_sample(fitting, _MOST_NODES)
    left_out = [f"{len(fitting) - len(asked)} more like them"] if len(asked) < len(fitting) else []
    left_out += [f"{len(nodes) - len(fitting)} of another kind"] if len(fitting) < len(nodes) else []
    note = f"{len(asked)} nodes are asked; not asked: {', '.join(left_out)}" if left_out else ""
    addresses = {}
    for node in asked:
        internal = [a.address for a in node.status.addresses or () if a.type == "InternalIP"]
        if internal:
            addresses[node.metadata.name] = internal[0]
    return addresses, note


def _answers(harbor):
    try:
        harbor.front_door.http.get("/")
    except NoAnswer:
        return False
    return True
