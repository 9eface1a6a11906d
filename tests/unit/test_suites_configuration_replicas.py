"""The checks of configuration that are about replicas, Services and nodes, on a Harbor of a few lines."""

import socket
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.errors import CannotTell, NeedMissing, NoAnswer, NotApplicable
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.profiles import harbor_1_2
from suites.configuration.test_front_door import test_the_front_door_answers_on_every_node as every_node
from suites.configuration.test_replicas import (
    test_every_part_has_the_replicas_that_it_needs_and_all_are_ready as replicated,
)
from suites.configuration.test_replicas import test_the_replicas_of_a_part_are_on_several_nodes as spread
from suites.configuration.test_services import (
    test_a_service_leads_to_every_ready_replica_and_to_nothing_else as services,
)
from tests.unit.running import blocked, examine, never, not_applicable, offenders_of

SILENT = NoAnswer("no answer", sent=True)
LOST = NoAnswer("no answer (timed out)", sent=False)


# configuration.components-replicated, configuration.replicas-spread-over-nodes


def workload(role, desired):
    name = {Role.WEB: "ui-rc", Role.JOB: "jobservice-rc"}[role]
    return Workload(role, "ReplicationController", "harbor", name, desired, (), None, 80)


def pods(of, *nodes, not_ready=()):
    """A replica on each of `nodes`; those whose number is in `not_ready` are not."""
    return [
        Replica(
            of,
            n,
            client.V1Pod(
                metadata=client.V1ObjectMeta(
                    name=f"{of.name}-{n}",
                    namespace="harbor",
                    uid=f"{of.name}-{n}",
                    creation_timestamp=datetime.now(UTC),
                ),
                spec=client.V1PodSpec(node_name=node, containers=[]),
                status=client.V1PodStatus(
                    phase="Pending" if n in not_ready else "Running",
                    conditions=[client.V1PodCondition(type="Ready", status=str(n not in not_ready))],
                ),
            ),
        )
        for n, node in enumerate(nodes)
    ]


def parts(*, web=3, job=1, web_nodes=("a", "b", "c"), job_nodes=("a",), not_ready=(), nodes=3):
    workloads = {Role.WEB: workload(Role.WEB, web), Role.JOB: workload(Role.JOB, job)}
    replicas = {
        Role.WEB: pods(workloads[Role.WEB], *web_nodes, not_ready=not_ready),
        Role.JOB: pods(workloads[Role.JOB], *job_nodes),
    }
    return SimpleNamespace(
        namespace="harbor",
        profile=harbor_1_2.PROFILE,
        deployment=SimpleNamespace(
            profile=harbor_1_2.PROFILE,
            workloads=workloads,
            all_replicas=lambda: replicas,
            nodes=lambda: [None] * nodes,
        ),
    )


SOON = SimpleNamespace(converge_timeout_s=0.01)


def test_several_of_each_and_one_for_the_queue_are_well():
    examine(replicated, parts(), SOON)
    examine(spread, parts(), never)


@pytest.mark.parametrize(
    "target, object, told",
    [
        (parts(web=1, web_nodes=("a",)), "ui-rc", "1"),
        (parts(job=0, job_nodes=()), "jobservice-rc", "0"),
        (parts(not_ready=(2,)), "ui-rc", "2 Ready; ui-rc-2 Pending"),
        (parts(web_nodes=("a", "b")), "ui-rc", "2 Ready"),
        (parts(job_nodes=()), "jobservice-rc", "0 Ready"),
    ],
)
def test_a_part_with_too_few_replicas_is_named(target, object, told):
    (offender,) = offenders_of(replicated, target, SOON)
    assert offender.object == f"ReplicationController harbor/{object}"
    assert offender.observed == told


def test_a_replica_that_an_autoscaler_has_just_asked_for_may_be_starting():
    target, looks = parts(), []
    well = target.deployment.all_replicas()
    starting = parts(web=3, not_ready=(2,)).deployment.all_replicas()

    def now():
        looks.append("pods")
        return well if len(looks) > 2 else starting

    target.deployment.all_replicas = now
    examine(replicated, target, SimpleNamespace(converge_timeout_s=60))
    assert len(looks) == 3


def test_what_is_asked_for_is_read_before_what_is_there():
    """An autoscaler that asks for one more in between is not held against it."""
    later = parts()
    target = SimpleNamespace(
        profile=later.profile, deployment=SimpleNamespace(workloads=parts(web=2).deployment.workloads)
    )

    def pods():
        target.deployment.workloads = later.deployment.workloads
        return parts(web_nodes=("a", "b")).deployment.all_replicas()

    target.deployment.all_replicas = pods
    examine(replicated, target, SimpleNamespace(converge_timeout_s=600))


def test_too_few_or_what_cannot_run_is_told_at_once():
    late = SimpleNamespace(converge_timeout_s=600)
    (offender,) = offenders_of(replicated, parts(not_ready=(1, 2)), late)
    assert offender.observed == "1 Ready; ui-rc-1 Pending, ui-rc-2 Pending"
    target = parts(not_ready=(2,))
    waiting = client.V1ContainerStateWaiting(reason="ImagePullBackOff")
    status = client.V1ContainerStatus(
        name="ui",
        image="",
        image_id="",
        ready=False,
        restart_count=0,
        state=client.V1ContainerState(waiting=waiting),
    )
    target.deployment.all_replicas()[Role.WEB][2].pod.status.container_statuses = [status]
    (offender,) = offenders_of(replicated, target, late)
    assert offender.observed == "2 Ready; ui-rc-2 Pending (ImagePullBackOff)"
    target = parts(not_ready=(2,))
    old = datetime.now(UTC) - timedelta(seconds=601)
    target.deployment.all_replicas()[Role.WEB][2].pod.metadata.creation_timestamp = old
    (offender,) = offenders_of(replicated, target, late)
    assert offender.observed == "2 Ready; ui-rc-2 Pending"


def test_replicas_that_are_together_on_one_node_are_named():
    (offender,) = offenders_of(spread, parts(web_nodes=("a", "a", "a")), never)
    assert (offender.object, offender.observed) == ("ReplicationController harbor/ui-rc", "all on a")
    (offender,) = offenders_of(spread, parts(web_nodes=(None, None)), never)
    assert offender.observed == "on none"


@pytest.mark.parametrize("nodes", ["ab", "aab", "aabb", "aaabb", "aabbc"])
def test_half_of_the_replicas_rounded_up_may_be_on_one_node(nodes):
    examine(spread, parts(web=len(nodes), web_nodes=tuple(nodes)), never)


@pytest.mark.parametrize("nodes, told", [("aaab", "3 on a"), ("aaaab", "4 on a"), ("bccccc", "5 on c")])
def test_most_replicas_on_one_node_are_named(nodes, told):
    (offender,) = offenders_of(spread, parts(web=len(nodes), web_nodes=tuple(nodes)), never)
    assert (offender.object, offender.observed) == ("ReplicationController harbor/ui-rc", told)


def test_where_there_is_nothing_to_spread_the_check_says_so():
    with pytest.raises(NotApplicable, match="1 Ready node"):
        examine(spread, parts(nodes=1), not_applicable)
    with pytest.raises(NotApplicable, match="several replicas"):
        examine(spread, parts(web=1), not_applicable)


# configuration.services-select-every-ready-replica


def endpoint(uid):
    return client.V1Endpoint(
        addresses=["198.51.100.7"],
        target_ref=client.V1ObjectReference(name=uid, uid=uid) if uid else None,
    )


def with_services(target, *endpoints, web=("ui",), job=("jobservice",), publishes=False):
    """`endpoints`: the UIDs that the Service ui leads to, at one look after the other."""
    looks = iter(endpoints)

    def service(name):
        spec = client.V1ServiceSpec(publish_not_ready_addresses=publishes)
        return client.V1Service(metadata=client.V1ObjectMeta(name=name), spec=spec)

    def endpoints_of(name):
        return [
            endpoint(uid) for uid in (next(looks, endpoints[-1]) if name == "ui" else ["jobservice-rc-0"])
        ]

    chosen = {"ui-rc": web, "jobservice-rc": job}
    target.deployment.services_of = lambda workload: [service(name) for name in chosen[workload.name]]
    target.deployment.endpoints = endpoints_of
    return target, SimpleNamespace(connect_timeout_s=0.05)


ALL = ("ui-rc-0", "ui-rc-1", "ui-rc-2")


def test_a_service_of_exactly_the_ready_replicas_is_well():
    examine(services, *with_services(parts(), ALL))
    examine(services, *with_services(parts(not_ready=(1,)), ("ui-rc-0", "ui-rc-2")))


def test_an_endpoint_that_comes_a_moment_later_is_well():
    target, _ = with_services(parts(), ALL[:2], ALL)
    examine(services, target, SimpleNamespace(connect_timeout_s=5))


def test_what_need_not_be_missed_needs_no_service_and_peers_are_not_judged():
    examine(services, *with_services(parts(), ALL, job=()))
    examine(services, *with_services(parts(), (), publishes=True))


@pytest.mark.parametrize(
    "endpoints, told",
    [
        (ALL[:2], "it does not lead to ui-2"),
        ((), "it does not lead to ui-0, ui-1, ui-2"),
        ((*ALL, "nginx-1"), "it leads to nginx-1 as well"),
        ((*ALL, None), "it leads to 198.51.100.7 as well"),
        (("x", *ALL[1:]), "it does not lead to ui-0; it leads to x as well"),
    ],
)
def test_a_service_that_leads_elsewhere_is_named(endpoints, told):
    (offender,) = offenders_of(services, *with_services(parts(), endpoints))
    assert offender.object == "Service harbor/ui"
    assert "ui-0, ui-1, ui-2" in offender.expected
    assert offender.observed == told


def test_a_service_of_a_part_of_which_nothing_is_ready_is_named():
    (offender,) = offenders_of(services, *with_services(parts(not_ready=(0, 1, 2)), ()))
    assert offender.object == "Service harbor/ui"
    assert offender.observed == "it leads to nothing, and no replica is Ready"


def test_a_part_that_is_replicated_without_a_service_is_named():
    (offender,) = offenders_of(services, *with_services(parts(), ALL, web=()))
    assert offender.object == "ReplicationController harbor/ui-rc"
    assert offender.observed == "none does"


# configuration.front-door-answers-on-every-node


class FakePage:
    """What is at a node's port."""

    def __init__(self, error=None, *, status=200, text="<title>Harbor</title>", redirect=False):
        self.error, self.closed = error, False
        self.answer = SimpleNamespace(
            status_code=status,
            reason="",
            text=text,
            headers={"Content-Type": "text/html"},
            cookies={},
            is_redirect=redirect,
            request=SimpleNamespace(method="GET", path_url="/"),
            history=(),
        )

    def get(self, path):
        if self.error:
            raise self.error
        return self.answer

    def close(self):
        self.closed = True


def doors(
    *pages,
    node_port=31777,
    url="http://h.example:31777",
    local=False,
    front=None,
    ports=None,
    labels=None,
    inside=False,
):
    nodes = [
        client.V1Node(
            metadata=client.V1ObjectMeta(name=f"node-{n}", labels=(labels or {}).get(n)),
            status=client.V1NodeStatus(
                addresses=[
                    client.V1NodeAddress(type="Hostname", address=f"node-{n}"),
                    client.V1NodeAddress(type="InternalIP", address=f"198.51.100.{n}"),
                ]
            ),
        )
        for n in range(len(pages))
    ]
    service = client.V1Service(
        metadata=client.V1ObjectMeta(name="nginx"),
        spec=client.V1ServiceSpec(
            external_traffic_policy="Local" if local else "Cluster",
            ports=ports or [client.V1ServicePort(port=80, node_port=node_port)],
        ),
    )
    asked = []

    def new_node_link(node, address, port, *, scheme):
        asked.append(f"{scheme}://{address}:{port}")
        return pages[int(node.rpartition("-")[2])]

    return SimpleNamespace(
        profile=harbor_1_2.PROFILE,
        workload=lambda role: SimpleNamespace(object="ReplicationController harbor/nginx-rc"),
        access=SimpleNamespace(url=url),
        front_door=SimpleNamespace(http=front or FakePage()),
        new_node_link=new_node_link,
        kubernetes=SimpleNamespace(inside=inside),
        settings=SimpleNamespace(connect_timeout_s=1),
        asked=asked,
        deployment=SimpleNamespace(
            workloads={Role.FRONT_DOOR: None},
            services_of=lambda workload: [service],
            nodes=lambda: nodes,
            replicas=lambda role: [SimpleNamespace(node="node-1", ready=True)],
        ),
    )


def test_a_front_door_on_every_node_is_well():
    pages = FakePage(), FakePage(status=302, text="", redirect=True)
    target = doors(*pages)
    examine(every_node, target, never, never)
    assert sorted(target.asked) == ["http://198.51.100.0:31777", "http://198.51.100.1:31777"]
    assert all(page.closed for page in pages)


@pytest.fixture
def at_ports(monkeypatch):
    """What a connection to a port becomes: comes about, or this error; what is not named times out."""
    at_ports = {}

    def connect(address, timeout_s):
        error = at_ports.get(address, TimeoutError("timed out"))
        if error:
            raise error
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(socket, "create_connection", connect)
    return at_ports


NODE_PORT, KUBELET = ("198.51.100.1", 31777), ("198.51.100.1", 10250)


@pytest.mark.parametrize("error", [TimeoutError("timed out"), OSError("No route to host")])
def test_one_node_that_nothing_is_known_of_from_here_is_no_fault_of_harbors(at_ports, error):
    """A firewall may be before it, for this machine alone."""
    at_ports.update({NODE_PORT: error, KUBELET: error})
    with pytest.raises(NeedMissing, match=r"node node-1: nothing answers from here at 198\.51\.100\.1"):
        examine(every_node, doors(FakePage(), FakePage(LOST)), never, never)
    # What is wrong at another node is told all the same.
    (offender,) = offenders_of(
        every_node, doors(FakePage(), FakePage(LOST), FakePage(status=502)), never, never
    )
    assert offender.object == "node node-2 (198.51.100.2:31777)"


@pytest.mark.parametrize(
    "answers",
    [
        # Nobody serves nodePorts on it.
        {NODE_PORT: ConnectionRefusedError()},
        # TLS that fails, say.
        {NODE_PORT: None},
        # Its firewall does not let the nodePort in.
        {KUBELET: None},
        {KUBELET: ConnectionRefusedError()},
    ],
)
def test_one_node_that_does_answer_but_not_as_harbor_is_named(at_ports, answers):
    at_ports.update(answers)
    (offender,) = offenders_of(every_node, doors(FakePage(), FakePage(LOST)), never, never)
    assert offender.object == "node node-1 (198.51.100.1:31777)"


def test_the_kubelets_port_is_where_the_node_says_that_it_is(at_ports):
    at_ports[("198.51.100.1", 10999)] = None
    target = doors(FakePage(), FakePage(LOST))
    target.deployment.nodes()[1].status.daemon_endpoints = client.V1NodeDaemonEndpoints(
        kubelet_endpoint=client.V1DaemonEndpoint(port=10999)
    )
    assert len(offenders_of(every_node, target, never, never)) == 1


def test_from_inside_the_cluster_a_node_that_is_silent_is_named():
    (offender,) = offenders_of(every_node, doors(FakePage(), FakePage(LOST), inside=True), never, never)
    assert "timed out" in offender.observed


@pytest.mark.parametrize(
    "page, told",
    [
        (FakePage(SILENT), "no answer"),
        (FakePage(status=502), "502"),
        (FakePage(status=404), "404"),
        (FakePage(text="<title>Welcome to nginx</title>"), "not Harbor's"),
    ],
)
def test_the_one_node_that_does_not_lead_to_harbor_is_named(page, told):
    (offender,) = offenders_of(every_node, doors(FakePage(), page), never, never)
    assert offender.object == "node node-1 (198.51.100.1:31777)"
    assert told in offender.observed


def test_nodes_that_cannot_be_reached_from_here_are_nobodys_fault_while_the_front_door_answers():
    with pytest.raises(NeedMissing, match="timed out"):
        examine(every_node, doors(FakePage(LOST), FakePage(LOST)), blocked, never)
    offenders = offenders_of(
        every_node, doors(FakePage(LOST), FakePage(LOST), front=FakePage(LOST)), never, never
    )
    assert len(offenders) == 2


def test_with_a_local_traffic_policy_only_nodes_with_a_replica_are_asked():
    target = doors(FakePage(LOST), FakePage(), local=True)
    examine(every_node, target, never, never)
    assert target.asked == ["http://198.51.100.1:31777"]
    with pytest.raises(CannotTell):
        examine(every_node, doors(local=True), never, never)


def test_the_port_in_use_is_asked_and_tls_is_spoken_where_it_ends_there():
    ports = [
        client.V1ServicePort(port=80, node_port=30080),
        client.V1ServicePort(port=443, node_port=30443),
    ]
    target = doors(FakePage(), ports=ports, url="https://h.example:30443")
    examine(every_node, target, never, never)
    assert target.asked == ["https://198.51.100.0:30443"]


def test_a_url_that_is_no_node_port_leads_to_a_load_balancer_that_chooses_nodes_itself():
    """A Service of type LoadBalancer has nodePorts, too, which its own balancer may never use."""
    target = doors(FakePage(LOST), url="https://h.example")
    with pytest.raises(NotApplicable, match=r"31777.*NOT verified"):
        examine(every_node, target, never, not_applicable)
    assert not target.asked


def test_nodes_that_serve_no_ports_are_not_asked():
    labels = {0: {"type": "virtual-kubelet"}, 1: {"kubernetes.io/os": "windows"}}
    target, notes = doors(FakePage(LOST), FakePage(LOST), FakePage(), labels=labels), []
    examine(every_node, target, never, never, notes.append)
    assert target.asked == ["http://198.51.100.2:31777"]
    assert notes == ["1 nodes are asked; not asked: 2 of another kind"]


def test_of_hundreds_of_nodes_a_sample_is_asked_at_once():
    """Each silent one is waited for; what a sample of them shows is enough."""
    waiting = threading.Barrier(8)

    class Slow(FakePage):
        def get(self, path):
            waiting.wait(5)
            return super().get(path)

    notes = []
    target = doors(*(Slow() for _ in range(512)))
    examine(every_node, target, never, never, notes.append)
    assert len(target.asked) == 64
    assert notes == ["64 nodes are asked; not asked: 448 more like them"]


def test_a_front_door_without_a_node_port_is_not_applicable_with_the_reason():
    with pytest.raises(NotApplicable, match="nodePort"):
        examine(every_node, doors(FakePage(), node_port=None), never, not_applicable)
    assert every_node.check.lacking({Role.WEB}) == ["front door"]
