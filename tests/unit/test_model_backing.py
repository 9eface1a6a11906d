"""What the hosts of Harbor's settings lead to, in clusters of a few objects."""

import pytest

from harbor_verify.errors import CannotTell, NeedMissing, TargetUnreachable
from harbor_verify.model.backing import backing_of
from tests.unit.small_cluster import NAMESPACE, small_cluster

ONE = """
kind: Service
metadata: {name: db}
spec: {clusterIP: 203.0.113.10, selector: {part: db}}
---
kind: StatefulSet
metadata: {name: db}
spec: {replicas: 1, template: {metadata: {labels: {part: db, app: shop}}}}
"""
ELSEWHERE = ONE.replace("name: db}", "name: db, namespace: stores}")
SEVERAL = ONE.replace("replicas: 1", "replicas: 3")


def backing(text, host, **more):
    with small_cluster(text, **more) as kubernetes:
        return backing_of(kubernetes, NAMESPACE, host)


@pytest.mark.parametrize(
    "host",
    [
        "db",
        "db.harbor",
        "db.harbor.svc",
        "db.harbor.svc.cluster.local",
        "db.harbor.svc.k8s.example.",
        "203.0.113.10",
    ],
)
def test_every_form_of_a_services_name_leads_to_its_pods_and_to_who_asks_for_them(host):
    found = backing(ONE, host)
    assert found.in_cluster
    assert found.way == ("Service harbor/db",)
    assert found.pods == ("db-0",)
    assert str(found) == "StatefulSet db with 1 pod"
    assert found.alone.object == "StatefulSet harbor/db"
    assert found.why_alone == "1 pod, and Service harbor/db leads to no other"


@pytest.mark.parametrize("host", ["db.stores", "db.stores.svc", "db.stores.svc.cluster.local"])
def test_a_service_of_another_namespace_is_looked_up_there(host):
    assert backing(ELSEWHERE, host).alone.object == "StatefulSet stores/db"


@pytest.mark.parametrize(
    "host",
    ["db", "192.0.2.9", "fd00::5", "db.example", "pg.db.example.com", "db.stores.example.com", "shop.db"],
)
def test_what_is_no_name_of_the_clusters_is_outside(host):
    found = backing(ELSEWHERE, host)
    assert (found.in_cluster, found.addresses, found.alone) == (False, (host,), None)


def test_several_pods_are_not_alone_and_a_pod_by_its_own_name_is():
    assert backing(SEVERAL, "db").alone is None
    assert str(backing(SEVERAL, "db")) == "StatefulSet db with 3 pods"
    headless = SEVERAL.replace("203.0.113.10", "None")
    for host in ("db-1.db", "db-1.db.harbor.svc.cluster.local", "198.51.100.2"):
        found = backing(headless, host)
        assert found.alone.object == "StatefulSet harbor/db"
        assert "is one pod, db-1, and leads to no other" in found.why_alone
    assert not backing(headless, "db-7.db").in_cluster


@pytest.mark.parametrize(
    "kind, object, words",
    [
        ("Deployment", "Deployment harbor/db", "Deployment db with 1 pod"),
        ("ReplicationController", "ReplicationController harbor/db", "ReplicationController db with 1 pod"),
    ],
)
def test_other_owners_are_found_as_well(kind, object, words):
    found = backing(ONE.replace("StatefulSet", kind), "db")
    assert (found.alone.object, str(found)) == (object, words)


def test_a_pod_that_nobody_asked_for_is_alone():
    bare = """
kind: Service
metadata: {name: db}
spec: {selector: {part: db}}
---
kind: Pod
metadata: {name: once, labels: {part: db}}
spec: {containers: []}
status: {phase: Running}
"""
    found = backing(bare, "db")
    assert found.alone.object == "pod harbor/once"
    assert "nothing brings back" in str(found)
    with pytest.raises(CannotTell, match="Service harbor/db leads to no pod"):
        backing(bare.replace("Running", "Failed"), "db")


PRIMARY_BY_LABEL = """
kind: Service
metadata: {name: db}
spec: {selector: {part: db, role: primary}}
---
kind: KIND
metadata: {name: db}
spec: {replicas: 3, given: {1: {role: primary}}, template: {metadata: {labels: {part: db}}}}
"""


@pytest.mark.parametrize("kind", ["StatefulSet", "Cluster"])
def test_a_primary_that_somebody_labels_may_be_another_tomorrow(kind):
    found = backing(PRIMARY_BY_LABEL.replace("KIND", kind), "db")
    assert found.pods == ("db-1",)
    assert found.alone is None
    assert str(found) == f"{kind} db with 3 pods"


def test_of_an_operator_that_has_a_statefulset_for_each_pod_none_is_alone():
    text = PRIMARY_BY_LABEL.replace("KIND", "StatefulSet").replace("replicas: 3", "replicas: 1")
    assert backing(text.replace("{1: ", "{0: "), "db").alone is None


ENDPOINTS = """
kind: Service
metadata: {name: db}
spec: {clusterIP: 203.0.113.10}
---
kind: EndpointSlice
metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: ENDPOINTS
"""


def test_a_service_without_selector_leads_to_addresses_or_to_the_pods_that_are_written_there():
    two = ENDPOINTS.replace("ENDPOINTS", '[{addresses: ["192.0.2.50", "192.0.2.51"]}]')
    found = backing(two, "db")
    assert (found.in_cluster, found.addresses) == (False, ("192.0.2.50", "192.0.2.51"))
    assert str(found) == "192.0.2.50, 192.0.2.51"
    leader = "[{addresses: [198.51.100.1], targetRef: {kind: Pod, name: pg-0}}]"
    pods = "---\nkind: StatefulSet\nmetadata: {name: pg}\nspec: {replicas: 2, template: {metadata: {}}}\n"
    found = backing(ENDPOINTS.replace("ENDPOINTS", leader) + pods, "db")
    assert (str(found), found.alone) == ("StatefulSet pg with 2 pods", None)


def test_an_external_name_is_followed_to_its_end():
    alias = "\n---\nkind: Service\nmetadata: {name: pg}\nspec: {type: ExternalName, externalName: %s}\n"
    found = backing(ONE + alias % "db.harbor.svc.cluster.local", "pg")
    assert found.way == ("Service harbor/pg", "Service harbor/db")
    assert found.alone.object == "StatefulSet harbor/db"
    found = backing(alias % "db.example.com", "pg")
    assert (found.way, found.addresses) == (("Service harbor/pg",), ("db.example.com",))
    with pytest.raises(CannotTell, match="lead to each other"):
        backing(alias % "pg.harbor.svc", "pg")


@pytest.mark.parametrize(
    "host, forbidden, right",
    [
        ("db.stores.svc", ("stores", "services"), "get Services in namespace stores"),
        ("db.stores", ("", "namespaces"), "get Namespaces in namespace stores"),
        ("db.stores", ("stores", "pods"), "list pods in namespace stores"),
        ("db.stores", ("stores", "statefulsets"), "get StatefulSets in namespace stores"),
    ],
)
def test_a_right_that_is_missing_is_named(host, forbidden, right):
    with pytest.raises(NeedMissing, match=right):
        backing(ELSEWHERE, host, forbidden={forbidden})


def test_a_name_with_two_dots_needs_no_right_to_be_outside():
    assert not backing(ONE, "db.example.com", forbidden={("", "namespaces")}).in_cluster


def test_an_api_server_that_does_not_answer_is_no_verdict():
    with small_cluster(ONE) as kubernetes:
        pass
    with pytest.raises(TargetUnreachable):
        backing_of(kubernetes, NAMESPACE, "db")
