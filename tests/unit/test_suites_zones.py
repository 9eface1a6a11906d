"""Replicas in one zone of several, in several, and clusters that have no zones."""

import pytest
import yaml

from harbor_verify.errors import NotApplicable
from suites.configuration.test_zones import test_the_replicas_of_a_part_are_in_several_zones as CHECK
from tests.unit import deployments
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
TAINT = {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}


def node(name, zone=None, **spec):
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": READY}


def on(*nodes, name="02-ha-documented"):
    """A deployment whose pods are on node-1 to node-3, in turn."""
    return harbor_of(yaml.safe_dump_all([*yaml.safe_load_all(deployments.text_of(name)), *nodes]))


def test_replicas_in_several_zones_are_well():
    with on(node("node-1", "a"), node("node-2", "b"), node("node-3", "c")) as (harbor, _):
        examine(CHECK, harbor, not_applicable)


def test_replicas_that_are_all_in_one_of_several_zones_are_lost_with_it():
    far = node("node-4", "b")
    with on(node("node-1", "a"), node("node-2", "a"), node("node-3", "a"), far) as (harbor, _):
        found = {each.object: each.observed for each in offenders_of(CHECK, harbor, not_applicable)}
    assert found["Deployment harbor/harbor-core"] == "all in a"


@pytest.mark.parametrize(
    "nodes",
    [
        (node("node-1"), node("node-2"), node("node-3")),
        (node("node-1", "a"), node("node-2", "a"), node("node-3", "a")),
        (node("node-1", "a"), node("node-2", "a"), node("node-3", "a"), node("node-4", "b", **TAINT)),
        (
            node("node-1", "a"),
            node("node-2", "a"),
            node("node-3", "a"),
            node("node-4", "b", unschedulable=True),
        ),
    ],
    ids=["no labels", "one zone", "a zone of the control plane", "a cordoned zone"],
)
def test_where_there_is_no_other_zone_nothing_is_asked(nodes):
    with on(*nodes) as (harbor, _), pytest.raises(NotApplicable, match="zones"):
        examine(CHECK, harbor, not_applicable)


def test_one_replica_of_each_part_is_nothing_to_spread_and_a_node_without_a_label_is_no_zone():
    zones = [node("node-1", "a"), node("node-2", "a"), node("node-3", "a"), node("node-4", "b")]
    with (
        on(*zones, name="01-defaults") as (harbor, _),
        pytest.raises(NotApplicable, match="several replicas"),
    ):
        examine(CHECK, harbor, not_applicable)
    unlabelled = [node("node-1"), node("node-2"), node("node-3"), node("node-4", "b"), node("node-5", "c")]
    with on(*unlabelled) as (harbor, _):
        examine(CHECK, harbor, not_applicable)
