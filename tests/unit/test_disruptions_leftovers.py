"""What a disruption changes in the cluster's objects is written down there, and undone by whoever comes later."""

from types import SimpleNamespace

import pytest

from harbor_verify.disruptions import leftovers


class Cluster:
    """Objects by kind and name, patched as the API server merges."""

    def __init__(self, **replicas):
        self.objects = {
            name: {"metadata": {"annotations": {}}, "spec": {"replicas": count}}
            for name, count in replicas.items()
        }
        self.nodes = {"node-1": {"metadata": {"annotations": {}}, "spec": {"unschedulable": None}}}
        self.core = SimpleNamespace(
            list_namespaced_replication_controller="none",
            patch_namespaced_replication_controller="never",
            patch_node="node",
            list_node="nodes",
        )
        self.apps = SimpleNamespace(
            list_namespaced_deployment="deployments",
            list_namespaced_stateful_set="none",
            patch_namespaced_deployment="deployment",
            patch_namespaced_stateful_set="never",
        )

    def ask(self, what, call, *args):
        if call == "deployment":
            self._merge(self.objects[args[0]], args[2])
        elif call == "node":
            self._merge(self.nodes[args[0]], args[1])
        listed = {"deployments": self.objects, "nodes": self.nodes}.get(call, {})
        return SimpleNamespace(items=[self._item(name, each) for name, each in listed.items()])

    @staticmethod
    def _merge(there, patch):
        there["spec"].update(patch["spec"])
        for key, value in patch["metadata"]["annotations"].items():
            if value is None:
                there["metadata"]["annotations"].pop(key, None)
            else:
                there["metadata"]["annotations"][key] = value

    @staticmethod
    def _item(name, each):
        return SimpleNamespace(
            metadata=SimpleNamespace(name=name, annotations=each["metadata"]["annotations"] or None)
        )


WEB = SimpleNamespace(kind="Deployment", namespace="h", name="web", desired=3)


def test_a_workload_that_was_scaled_and_back_is_as_before():
    cluster = Cluster(web=3)
    leftovers.scale(cluster, WEB, 1)
    assert cluster.objects["web"]["spec"]["replicas"] == 1
    leftovers.scale_back(cluster, WEB)
    assert cluster.objects == Cluster(web=3).objects
    assert leftovers.heal(cluster, "h", nodes=True) == []


def test_what_a_killed_run_scaled_and_cordoned_is_undone_and_told():
    cluster = Cluster(web=3, other=2)
    leftovers.scale(cluster, WEB, 1)
    leftovers.cordon(cluster, "node-1")
    told = leftovers.heal(cluster, "h", nodes=True)
    assert cluster.objects == Cluster(web=3, other=2).objects
    assert cluster.nodes == Cluster().nodes
    assert told == [
        "Deployment h/web has its 3 replicas back, which an earlier run took",
        "node node-1 takes pods again, which an earlier run had cordoned",
    ]


def test_nodes_are_left_alone_by_who_may_not_touch_them():
    cluster = Cluster()
    leftovers.cordon(cluster, "node-1")
    assert leftovers.heal(cluster, "h", nodes=False) == []


@pytest.mark.parametrize("note", ["", "many", None])
def test_a_note_that_says_nothing_changes_nothing(note):
    cluster = Cluster(web=1)
    if note is not None:
        cluster.objects["web"]["metadata"]["annotations"][leftovers.REPLICAS] = note
    assert leftovers.heal(cluster, "h", nodes=True) == []
    assert cluster.objects["web"]["spec"]["replicas"] == 1
