"""What clients come in by, in clusters as people have them: controllers, Gateways, load balancers outside."""

from types import SimpleNamespace

import pytest

from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.roles import Role
from harbor_verify.profiles import harbor_2
from harbor_verify.verdict import Failure
from suites.configuration.test_way_in import test_what_clients_come_in_by_is_more_than_one_pod as way_in
from tests.unit.running import examine, never, not_applicable
from tests.unit.small_cluster import NAMESPACE, small_cluster

INGRESS = """
kind: Ingress
metadata: {name: harbor}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web}}}]}}]}
status: {loadBalancer: {ingress: [AT]}}
---
"""
ROUTE = """
kind: HTTPRoute
metadata: {name: harbor}
spec: {parentRefs: [{name: gw, namespace: edge}], rules: [{backendRefs: [{name: web}]}]}
---
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {}
status: {addresses: [{value: 203.0.113.5}]}
---
"""
CONTROLLER = """
kind: Service
metadata: {name: controller, namespace: edge}
spec: {clusterIP: 192.0.2.80, selector: {app: edge}, ports: [{port: 80}, {port: 443}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}
---
kind: Deployment
metadata: {name: controller, namespace: edge}
spec: {replicas: 2, template: {metadata: {labels: {app: edge}}}}
"""
ONE = CONTROLLER.replace("replicas: 2", "replicas: 1")
BY_ADDRESS = INGRESS.replace("AT", "{ip: 203.0.113.5}")
OTHER = """
---
kind: Service
metadata: {name: mail, namespace: post}
spec: {selector: {app: post}, ports: [{port: 25}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}
"""


HTTP_3 = """
---
kind: Service
metadata: {name: controller-udp, namespace: edge}
spec: {selector: {app: edge-udp}, ports: [{port: 443, protocol: UDP}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}
"""
TWICE = CONTROLLER.replace("name: controller,", "name: inside,").partition("---")[0] + "---\n"
BY_DEFAULT = """
kind: Ingress
metadata: {name: harbor}
spec: {defaultBackend: {service: {name: web}}}
status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}
---
"""
ON_NODES = "".join(
    f"""
kind: Node
metadata: {{name: node-{n}}}
status: {{addresses: [{{type: InternalIP, address: 198.51.100.{n}}}, {{type: Hostname, address: node-{n}}}]}}
---
"""
    for n in (1, 2, 3)
)


def look(text, *, forbidden=(), own=False, port=443, ends=not_applicable):
    with small_cluster(text, forbidden=forbidden) as kubernetes:
        harbor = SimpleNamespace(
            kubernetes=kubernetes,
            namespace=NAMESPACE,
            url="https://harbor.example.com",
            host="harbor.example.com",
            may_be_behind_an_ingress=port in (80, 443),
            services_for_clients=lambda: {"web"},
            deployment=SimpleNamespace(
                workloads={Role.FRONT_DOOR: None} if own else {},
                nodes_by_address=Deployment(kubernetes, NAMESPACE, harbor_2.PROFILE, {}).nodes_by_address,
            ),
            workload=lambda role: SimpleNamespace(object="Deployment harbor/door"),
        )
        examine(way_in, harbor, SimpleNamespace(converge_timeout_s=0.01), not_applicable=ends)


@pytest.mark.parametrize(
    "text",
    [
        BY_ADDRESS + CONTROLLER,
        BY_ADDRESS + CONTROLLER + OTHER,
        ROUTE + CONTROLLER,
        INGRESS.replace("AT", "{ip: 192.0.2.80}") + CONTROLLER,
        BY_ADDRESS + CONTROLLER.replace("Deployment", "DaemonSet"),
        BY_ADDRESS + CONTROLLER + HTTP_3,
        BY_ADDRESS + TWICE + CONTROLLER,
        BY_DEFAULT + CONTROLLER,
        ON_NODES + INGRESS.replace("AT", "{ip: 198.51.100.1}, {ip: 198.51.100.2}"),
    ],
)
def test_a_controller_of_several_pods_is_well(text):
    look(text, ends=never)


@pytest.mark.parametrize(
    "text, object",
    [
        (BY_ADDRESS + ONE, "Deployment edge/controller"),
        (ROUTE + ONE, "Deployment edge/controller"),
        (BY_ADDRESS + ONE.replace("Deployment", "DaemonSet"), "DaemonSet edge/controller"),
    ],
)
def test_a_controller_of_one_pod_is_named(text, object):
    with pytest.raises(Failure) as failure:
        look(text, ends=never)
    (found,) = failure.value.offenders
    assert found.object == object
    assert found.observed.startswith("1 pod behind Service edge/controller, by which ")


NOT_READY = """
---
kind: Pod
metadata: {name: second, namespace: edge, labels: {app: edge, pod-template-hash: 5d4f8c}, ownerReferences: [OWNER]}
spec: {NODE containers: []}
status: {phase: PHASE, conditions: [{type: Ready, status: "False"}]}
""".replace(
    "OWNER",
    "{kind: ReplicaSet, name: controller-5d4f8c, uid: Deployment-controller, apiVersion: apps/v1, controller: true}",
)
"""A second pod of the controller's Deployment, which serves nobody."""


@pytest.mark.parametrize("node, phase", [("", "Pending"), ("nodeName: node-2,", "Running")])
def test_a_second_pod_that_serves_nobody_is_none(node, phase):
    text = CONTROLLER + "status: {replicas: 1}" + NOT_READY.replace("NODE", node).replace("PHASE", phase)
    with pytest.raises(Failure) as failure:
        look(BY_ADDRESS + text, ends=never)
    (found,) = failure.value.offenders
    assert found.observed.startswith("1 Ready of 2 pods behind Service edge/controller")
    assert found.observed.endswith("not Ready: second")


@pytest.mark.parametrize(
    "text, told",
    [
        (INGRESS.replace("AT", "{hostname: lb.amazonaws.com}") + CONTROLLER, "0 Services of this cluster"),
        (INGRESS.replace("[AT]", "[]") + CONTROLLER, "tells no address"),
        (BY_ADDRESS + CONTROLLER + OTHER.replace("25", "80"), "2 Services of this cluster"),
        (CONTROLLER, "what stands at https://harbor.example.com cannot be known"),
        (ON_NODES + BY_ADDRESS, "0 Services of this cluster"),
        (
            ON_NODES.partition("---")[0] + "---\n" + INGRESS.replace("AT", "{ip: 198.51.100.1}"),
            "0 Services of this cluster",
        ),
    ],
)
def test_what_nobody_sees_from_here_is_told_as_not_verified(text, told):
    with pytest.raises(NotApplicable, match="NOT verified") as reason:
        look(text)
    assert told in str(reason.value)


def test_a_controller_that_listens_on_one_node_alone_is_told():
    with pytest.raises(Failure) as failure:
        look(ON_NODES + INGRESS.replace("AT", "{ip: 198.51.100.2}"), ends=never)
    (found,) = failure.value.offenders
    assert found.object == "Ingress harbor/harbor"
    assert found.observed == "its only address is that of node node-2, where its one controller listens"


OTHERS_NAME = BY_ADDRESS.replace("rules: [{", "rules: [{host: other.example.com, ")
OTHERS_ROUTE = ROUTE.replace("spec: {parentRefs", "spec: {hostnames: [other.example.com], parentRefs")


@pytest.mark.parametrize("text", [CONTROLLER, OTHERS_NAME + ONE, OTHERS_ROUTE + ONE])
def test_a_proxy_of_harbors_own_is_judged_elsewhere(text):
    with pytest.raises(NotApplicable, match=r"Deployment harbor/door: configuration\.components-replicated"):
        look(text, own=True)


def test_an_ingress_is_not_the_way_of_who_comes_to_a_port_of_the_nodes():
    with pytest.raises(NotApplicable, match=r"configuration\.components-replicated judges it"):
        look(BY_ADDRESS + ONE, own=True, port=30003)


def test_what_stands_before_a_proxy_of_harbors_own_is_not_verified_where_we_may_not_look():
    with pytest.raises(NotApplicable, match="NOT verified: list Ingresses in harbor"):
        look(BY_ADDRESS + ONE, own=True, forbidden={(NAMESPACE, "ingresses")})


@pytest.mark.parametrize(
    "way",
    [
        BY_ADDRESS,
        ROUTE,
        OTHERS_NAME.replace("other.", "harbor."),
        OTHERS_NAME.replace("other.example.com", '"*.example.com"'),
        OTHERS_ROUTE.replace("other.", "harbor."),
    ],
)
def test_what_stands_before_a_proxy_of_harbors_own_is_judged(way):
    look(way + CONTROLLER, own=True, ends=never)
    with pytest.raises(Failure) as failure:
        look(way + ONE, own=True, ends=never)
    (found,) = failure.value.offenders
    assert found.object == "Deployment edge/controller"


@pytest.mark.parametrize(
    "text, forbidden, right",
    [
        (BY_ADDRESS + CONTROLLER, ("", "services"), "list Services in all namespaces"),
        (BY_ADDRESS + CONTROLLER, ("edge", "pods"), "list pods in namespace edge"),
        (ROUTE + CONTROLLER, ("edge", "gateways"), "get Gateways in namespace edge"),
    ],
)
def test_a_right_that_is_missing_is_named(text, forbidden, right):
    with pytest.raises(NeedMissing, match=right):
        look(text, forbidden={forbidden})


def test_a_controller_without_any_pod_now_is_no_verdict():
    with pytest.raises(CannotTell, match="leads to no pod"):
        look(BY_ADDRESS + ONE.replace("replicas: 1", "replicas: 0"), ends=never)
