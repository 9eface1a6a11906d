"""What others have in the cluster, or in Harbor's own namespace, costs no request more, and hardly anything to read."""

from collections import Counter

import pytest
import yaml

from harbor_verify.model import ways_in
from harbor_verify.model.backing import backing_of
from harbor_verify.model.discovery import Deployment, discover
from harbor_verify.model.roles import Role
from harbor_verify.profiles import harbor_2
from harbor_verify.surroundings import _nodes
from tests.unit import deployments
from tests.unit.small_cluster import NAMESPACE, small_cluster
from tests.unit.whole_harbors import harbor_of, verdicts_on


def labelled(text):
    """Workloads with the labels of their pods, as charts render them."""
    documents = list(yaml.safe_load_all(text))
    for each in documents:
        if each["kind"] in ("Deployment", "StatefulSet"):
            each["metadata"]["labels"] = {
                **each["spec"]["template"]["metadata"]["labels"],
                "chart": "harbor-1",
            }
    return yaml.dump_all(documents)


HARBOR = labelled(deployments.text_of("02-ha-documented"))
HELD = "sh.helm.release.v1.other.v1"


def others(count, namespace=NAMESPACE):
    """Deployments of a pod each, with a Service and a Secret of Helm's."""
    documents = []
    for number in range(count):
        name, metadata = f"other-{number}", {"name": f"other-{number}", "namespace": namespace}
        containers = [{"name": "c", "image": "example/other:1"}]
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
        selector = {"matchLabels": {"app": name}}
        helm = {"owner": "helm", "status": "deployed", "name": name}
        documents += [
            {
                "kind": "Deployment",
                "metadata": dict(metadata),
                "spec": {"replicas": 1, "selector": selector, "template": template},
            },
            {
                "kind": "Service",
                "metadata": dict(metadata),
                "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
            },
            {"kind": "Secret", "metadata": {**metadata, "name": f"{HELD}.{number}", "labels": helm}},
        ]
    return yaml.dump_all(documents)


class Counted:
    """Requests by path, and the objects that lists of it gave."""

    def __init__(self):
        self.requests, self.objects = Counter(), Counter()

    def besides(self, base):
        counted = self

        class Handler(base):
            def answer(self, status, body):
                path = self.path.partition("?")[0]
                counted.requests[path] += 1
                counted.objects[path] += len(body.get("items") or ())
                super().answer(status, body)

        return Handler


def judged(text):
    """What is asked for while a Harbor is found, its facts are, and every check of API objects judges it."""
    counted = Counted()
    with harbor_of(text, besides=counted.besides) as (target, facts):
        verdicts = verdicts_on(target, facts)
        target.deployment.helm_releases()
        _nodes(target)
    return counted, verdicts


def test_two_hundred_workloads_of_others_in_harbors_namespace_cost_no_request_more():
    alone, verdicts = judged(HARBOR)
    beside, same = judged(f"{HARBOR}\n---\n{others(200)}\n---\n{others(200, 'elsewhere')}")
    assert vars(same) == vars(verdicts)
    assert beside.requests == alone.requests
    # The namespace is searched once for a Harbor; a Service says in no label which pods it chooses.
    more = beside.objects - alone.objects
    searched = {f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments": 200}
    services = {path: count for path, count in more.items() if path.endswith("/services")}
    assert {path: count for path, count in more.items() if path not in services} == searched


def test_a_list_comes_page_by_page_and_each_object_once():
    counted = Counted()
    with small_cluster(others(7), besides=counted.besides) as kubernetes:
        pages = kubernetes.pages("list pods", kubernetes.core.list_namespaced_pod, NAMESPACE, most=3)
        assert [pod.metadata.name for pod in pages] == [f"other-{n}-0" for n in range(7)]
    assert counted.requests == {f"/api/v1/namespaces/{NAMESPACE}/pods": 3}


@pytest.mark.parametrize("name", deployments.NAMES)
def test_the_replicas_of_all_parts_are_those_of_each_by_one_question(name):
    counted = Counted()
    text = f"{deployments.text_of(name)}\n---\n{others(3)}"
    with small_cluster(text, besides=counted.besides) as kubernetes:
        found = discover(kubernetes, NAMESPACE)
        each = {role: [one.object for one in found.replicas(role)] for role in found.workloads}
        counted.requests.clear()
        assert {role: [one.object for one in all] for role, all in found.all_replicas().items()} == each
    assert counted.requests.total() == 1
    assert all(each.values())


def test_a_workload_whose_label_somebody_took_away_still_tells_how_many_it_wants():
    with small_cluster(HARBOR) as kubernetes:
        found = discover(kubernetes, NAMESPACE)
        wanted = {role: workload.desired for role, workload in found.workloads.items()}
    relabelled = []
    for document in yaml.safe_load_all(HARBOR):
        if document["kind"] == "Deployment" and document["metadata"]["name"] == "harbor-core":
            document["metadata"]["labels"] = {"of": "nobody"}
            document["spec"]["replicas"] = 5
        relabelled.append(document)
    with small_cluster(yaml.dump_all(relabelled)) as kubernetes:
        now = Deployment(kubernetes, NAMESPACE, harbor_2.PROFILE, dict(found._found))
        assert {role: each.desired for role, each in now.workloads.items()} == {**wanted, Role.WEB: 5}


def test_the_pod_behind_an_address_is_asked_for_by_its_address():
    counted = Counted()
    with small_cluster(others(50), besides=counted.besides) as kubernetes:
        (third,) = (
            pod.status.pod_ip
            for pod in kubernetes.core.list_namespaced_pod(NAMESPACE).items
            if pod.metadata.name == "other-3-0"
        )
        counted.objects.clear()
        assert backing_of(kubernetes, NAMESPACE, third).pod == "other-3-0"
    # Once by its address, once among those that whoever asks for it has made: no other's of the fifty.
    assert counted.objects[f"/api/v1/namespaces/{NAMESPACE}/pods"] == 2


@pytest.mark.parametrize("ready", ["True", "False"])
def test_nodes_are_kept_without_the_images_that_they_tell_of(ready):
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "images": [{"names": ["a"], "sizeBytes": 1}],
    }
    text = yaml.dump_all(
        [{"kind": "Node", "metadata": {"name": f"n{n}"}, "spec": {}, "status": status} for n in range(130)]
    )
    counted = Counted()
    with small_cluster(text, besides=counted.besides) as kubernetes:
        deployment = Deployment(kubernetes, NAMESPACE, harbor_2.PROFILE, {})
        nodes = list(deployment.all_nodes())
        assert len(deployment.nodes()) == (130 if ready == "True" else 0)
    assert [node.status.images for node in nodes] == [None] * 130
    assert counted.requests["/api/v1/nodes"] == 4


def test_services_of_the_whole_cluster_come_in_pages():
    with small_cluster(others(3, "elsewhere")) as kubernetes:
        asked = []
        real = kubernetes.core.list_service_for_all_namespaces
        kubernetes.core.list_service_for_all_namespaces = lambda **how: asked.append(how) or real(**how)
        assert ways_in.services_at(kubernetes, {"203.0.113.1"}, {443}) == []
    assert [how["limit"] for how in asked] == [1000]
