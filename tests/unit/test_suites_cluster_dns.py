"""The cluster's DNS: one pod, several on one node, several on several, or none that can be seen."""

from types import SimpleNamespace

import pytest
import yaml

from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable
from suites.configuration.test_cluster_dns import (
    test_the_clusters_dns_is_more_than_one_pod_on_more_than_one_node as CHECK,
)
from tests.unit import deployments
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

ADDRESS, LABELS = "10.96.0.10", {"k8s-app": "kube-dns"}
SOON = SimpleNamespace(converge_timeout_s=0.01)
ASKED = f"search harbor.svc.cluster.local\nnameserver {ADDRESS}\noptions ndots:5\n"


def cluster(replicas, *more):
    """A deployment, with CoreDNS as kubeadm and k3s have it."""
    pod = {"containers": [{"name": "coredns"}]}
    metadata = {"name": "coredns", "namespace": "kube-system"}
    service = {"selector": LABELS, "clusterIP": ADDRESS, "ports": [{"port": 53}]}
    objects = [
        {
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": LABELS}, "spec": pod}},
        },
        {"kind": "Service", "metadata": {**metadata, "name": "kube-dns"}, "spec": service},
        *more,
    ]
    return yaml.safe_dump_all([*yaml.safe_load_all(deployments.text_of("02-ha-documented")), *objects])


def asking(harbor, printed=ASKED):
    vars(harbor)["run"] = lambda replica, argv: {("cat", "/etc/resolv.conf"): printed}[tuple(argv)]
    return harbor


def test_one_pod_is_the_end_of_all_names():
    with harbor_of(cluster(1)) as (harbor, _):
        (found,) = offenders_of(CHECK, asking(harbor), SOON, not_applicable)
    assert found.object == "Service kube-system/kube-dns"
    assert found.observed == "1 pod (Deployment coredns with 1 pod)"


def test_pods_on_several_nodes_are_well_and_together_on_one_they_are_not(monkeypatch):
    with harbor_of(cluster(2)) as (harbor, _):
        examine(CHECK, asking(harbor), SOON, not_applicable)
    monkeypatch.setattr("tests.unit.small_cluster._NODES", ("node-1",))
    others = [
        {
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        for name in ("node-1", "node-2")
    ]
    with harbor_of(cluster(2, *others)) as (harbor, _):
        (found,) = offenders_of(CHECK, asking(harbor), SOON, not_applicable)
    assert found.observed == "its 2 pods are all on node-1 (Deployment coredns with 2 pods)"


@pytest.mark.parametrize("node, phase", [({}, "Pending"), ({"nodeName": "node-2"}, "Running")])
def test_a_second_pod_that_answers_nobody_is_none(node, phase):
    second = {
        "kind": "Pod",
        "metadata": {"name": "coredns-new", "namespace": "kube-system", "labels": LABELS},
        "spec": {"containers": [], **node},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "False"}]},
    }
    with harbor_of(cluster(1, second)) as (harbor, _):
        (found,) = offenders_of(CHECK, asking(harbor), SOON, not_applicable)
    assert found.observed.startswith("1 of its 2 pods Ready (")


@pytest.mark.parametrize("printed", ["nameserver 169.254.20.10\n", "# nobody\noptions ndots:5\n"])
def test_whoever_is_no_service_shows_nothing_of_itself(printed):
    with harbor_of(cluster(1)) as (harbor, _), pytest.raises(NotApplicable, match="NOT verified"):
        examine(CHECK, asking(harbor, printed), SOON, not_applicable)


def test_of_one_node_nothing_is_asked():
    node = {
        "kind": "Node",
        "metadata": {"name": "node-1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    with harbor_of(cluster(1, node)) as (harbor, _), pytest.raises(NotApplicable, match="1 Ready node"):
        examine(CHECK, asking(harbor), SOON, not_applicable)


def test_without_a_running_replica_or_the_right_to_look_it_is_not_known(monkeypatch):
    with (
        harbor_of(cluster(1), forbidden={("kube-system", "pods")}) as (harbor, _),
        pytest.raises(NeedMissing),
    ):
        examine(CHECK, asking(harbor), SOON, not_applicable)
    monkeypatch.setattr("harbor_verify.model.workloads.Replica.running", property(lambda self: False))
    with harbor_of(cluster(1)) as (harbor, _), pytest.raises(CannotTell, match="no container"):
        examine(CHECK, asking(harbor), SOON, not_applicable)
