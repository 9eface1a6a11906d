"""The front door's port on the nodes: clients, and load balancers before them, may come to any."""

from urllib.parse import urlsplit

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, NoAnswer
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge


@check(
    "configuration.front-door-answers-on-every-node",
    hint="On the node that is named: does kube-proxy run (`kubectl -n kube-system get pods -o wide`), does the "
    "firewall let the nodePort in, do packets to pods on other nodes arrive? An error of Harbor's own (502, 503): "
    "see configuration.services-select-every-ready-replica.",
    source="Kubernetes: Service of type NodePort, externalTrafficPolicy",
    needs=("nodes",),
)
def test_the_front_door_answers_on_every_node(harbor, not_applicable):
    """Harbor answers on the front door's port of every Ready node.

    Source: Kubernetes, NodePort. With externalTrafficPolicy Local only the nodes with a Ready replica are to answer.
    """
    service, port = _node_port(harbor, not_applicable)
    doors = _addresses(harbor, service)
    offenders, unreached = [], []
    for node, address in doors.items():
        scheme = _scheme(port, harbor.access.url)
        where = f"node {node} ({address}:{port.node_port})"
        link = harbor.new_node_link(node, address, port.node_port, scheme=scheme)
        try:
            harbor.profile.api(link).require_page()
        except AnswerError as trouble:
            offenders.append(Offender(where, "GET / is answered by Harbor", str(trouble)))
            if isinstance(trouble, NoAnswer) and not trouble.sent:
                unreached.append(node)
        finally:
            link.close()
    if unreached and len(unreached) == len(doors) and _answers(harbor):
        not_applicable(
            f"no node's address can be reached from here, though {harbor.access.url} answers: {offenders[0].observed}"
        )
    judge(offenders, examined=len(doors))


def _node_port(harbor, not_applicable):
    """The Service that opens the front door on every node, and its port."""
    if Role.FRONT_DOOR not in harbor.deployment.workloads:
        not_applicable("Harbor's own front door is not in this namespace")
    workload = harbor.workload(Role.FRONT_DOOR)
    found = [
        (s, p) for s in harbor.deployment.services_of(workload) for p in s.spec.ports or () if p.node_port
    ]
    if not found:
        not_applicable(f"no Service of {workload.object} has a nodePort: it is reached in another way")
    # Of several that which is in use, else the first.
    used = urlsplit(harbor.access.url).port
    return next((each for each in found if each[1].node_port == used), found[0])


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
    found = {}
    for node in nodes:
        internal = [a.address for a in node.status.addresses or () if a.type == "InternalIP"]
        if internal:
            found[node.metadata.name] = internal[0]
    return found


def _answers(harbor):
    try:
        harbor.front_door.http.get("/")
    except NoAnswer:
        return False
    return True
