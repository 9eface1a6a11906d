"""One replica that differs, as the lab plants it: a pod that starts while its ConfigMap says something else."""

import json
from types import SimpleNamespace

import pytest

from lab.defects.edit import MARK, Edit
from lab.deployment import rollout
from lab.errors import LabError


class Cluster:
    """A Deployment of two pods that replaces at once what is deleted; each pod `has` what the ConfigMap said then."""

    def __init__(self):
        self.text, self.has, self.labels = "root: /storage", {"p-0": None, "p-1": None}, {}
        self.has = dict.fromkeys(self.has, self.text)
        self.profile = SimpleNamespace(namespace="h", folder=None)

    def kubectl(self, verb, kind, *rest):
        words = [word for word in rest if not word.startswith("--")]
        if (verb, kind) == ("get", "configmap"):
            return json.dumps({"data": {"f": self.text}})
        if (verb, kind) == ("get", "pods"):
            return json.dumps({"items": [self.pod(name) for name in self.chosen(rest)]})
        if (verb, kind) == ("patch", "configmap"):
            self.text = json.loads(rest[-1].removeprefix("--patch="))["data"]["f"]
        elif verb == "delete":
            for name in words or self.chosen(rest):
                del self.has[name]
                self.labels.pop(name, None)
                self.has[f"{name}-next"] = self.text
        elif verb == "label":
            self.labels[words[0]] = words[1]
        return ""

    def chosen(self, words):
        selector = next(word.partition("=")[2] for word in words if word.startswith("--selector"))
        return [name for name in self.has if selector == "app=x" or self.labels.get(name) == selector]

    @staticmethod
    def pod(name):
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        return {"metadata": {"name": name, "uid": name}, "status": status}


@pytest.fixture(autouse=True)
def rendered(monkeypatch):
    """What the lab has deployed."""
    config_map = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"f": "root: /storage"}}
    selector = {"matchLabels": {"app": "x"}}
    deployment = {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"selector": selector}}
    controller = {
        "kind": "ReplicationController",
        "metadata": {"name": "rc"},
        "spec": {"selector": {"app": "x"}},
    }
    monkeypatch.setattr(rollout, "rendered", lambda folder: [config_map, deployment, controller])


@pytest.mark.parametrize("workload", ["d", "rc"])
def test_one_pod_has_what_its_config_map_no_longer_says_until_it_is_healed(workload):
    edit, cluster = Edit("c", "f", "/tmp/x", old="/storage", workload=workload), Cluster()
    for _ in range(2):
        edit.plant_on_one(cluster)
        assert cluster.has == {"p-1": "root: /storage", "p-0-next": "root: /tmp/x"}
        assert cluster.text == "root: /storage"
        assert cluster.labels == {"p-0-next": f"{MARK}=true"}
    edit.heal_one(cluster)
    assert set(cluster.has.values()) == {"root: /storage"}


def test_what_nobody_has_read_is_declared_until_it_is_healed():
    edit, cluster = Edit("c", "f", "/tmp/x", old="/storage", workload="d"), Cluster()
    for _ in range(2):
        edit.plant_unread(cluster)
        assert cluster.text == "root: /tmp/x"
        assert set(cluster.has.values()) == {"root: /storage"}
    edit.heal_unread(cluster)
    assert cluster.text == "root: /storage"


def test_everywhere_the_manifests_say_it():
    config_map = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"f": "root: /storage"}}
    Edit("c", "f", "/tmp/x", old="/storage", workload="d").everywhere([config_map])
    assert config_map["data"] == {"f": "root: /tmp/x"}


def test_a_secret_is_written_as_the_api_server_has_it():
    secret = {"kind": "Secret", "metadata": {"name": "s"}}
    Edit("s", "k", lambda: "ab", workload="d", kind="Secret").everywhere([secret])
    assert secret["data"] == {"k": "YWI="}


def test_a_text_that_is_not_there_cannot_be_changed():
    with pytest.raises(LabError, match="has no '/elsewhere'"):
        Edit("c", "f", "/tmp/x", old="/elsewhere", workload="d").plant_on_one(Cluster())
