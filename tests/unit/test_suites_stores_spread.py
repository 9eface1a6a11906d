"""Several pods of a store: on several nodes, or all on one."""

import pytest
import yaml

from harbor_verify.errors import CannotTell, NotApplicable
from suites.configuration.test_stores_spread import test_the_pods_of_a_store_are_on_several_nodes as CHECK
from tests.unit import deployments
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

NODES = [
    {
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    for name in ("node-1", "node-2")
]


def two_of(name, *more):
    """The chart's own stores, of which one was given two pods."""
    objects = list(yaml.safe_load_all(deployments.text_of("23-internal-stores-ha-looking")))
    (store,) = [
        each for each in objects if each["kind"] == "StatefulSet" and each["metadata"]["name"] == name
    ]
    store["spec"]["replicas"] = 2
    return yaml.safe_dump_all([*objects, *more])


@pytest.mark.parametrize(
    "name, told", [("harbor-database", "database, StatefulSet"), ("harbor-redis", "Redis, StatefulSet")]
)
def test_two_pods_of_a_store_are_to_be_on_two_nodes(name, told, monkeypatch):
    with harbor_of(two_of(name)) as (harbor, _):
        examine(CHECK, harbor, not_applicable)
    monkeypatch.setattr("tests.unit.small_cluster._NODES", ("node-1",))
    with harbor_of(two_of(name, *NODES)) as (harbor, _):
        (found,) = offenders_of(CHECK, harbor, not_applicable)
    assert found.object == f"{told} harbor/{name}"
    assert (found.expected, found.observed) == ("its 2 pods are on several nodes", "all on node-1")


def test_where_the_second_pod_is_not_there_yet_nobody_knows_where_it_will_be():
    objects = list(yaml.safe_load_all(two_of("harbor-redis")))
    for each in objects:
        if each["kind"] == "StatefulSet" and each["metadata"]["name"] == "harbor-redis":
            each["status"] = {"replicas": 1}
    with (
        harbor_of(yaml.safe_dump_all(objects)) as (harbor, _),
        pytest.raises(CannotTell, match="1 of its 2 pods Ready"),
    ):
        examine(CHECK, harbor, not_applicable)


def test_stores_of_one_pod_or_outside_and_clusters_of_one_node_are_nothing_to_spread():
    for name in ("23-internal-stores-ha-looking", "02-ha-documented"):
        with (
            harbor_of(deployments.text_of(name)) as (harbor, _),
            pytest.raises(NotApplicable, match="several pods"),
        ):
            examine(CHECK, harbor, not_applicable)
    with (
        harbor_of(two_of("harbor-redis", NODES[0])) as (harbor, _),
        pytest.raises(NotApplicable, match="1 Ready"),
    ):
        examine(CHECK, harbor, not_applicable)


def test_a_service_that_leads_nowhere_is_unknown():
    objects = list(yaml.safe_load_all(deployments.text_of("23-internal-stores-ha-looking")))
    for each in objects:
        if each["kind"] == "StatefulSet" and each["metadata"]["name"] == "harbor-redis":
            each["spec"]["replicas"] = 0
    with harbor_of(yaml.safe_dump_all(objects)) as (harbor, _), pytest.raises(CannotTell, match="no pod"):
        examine(CHECK, harbor, not_applicable)
