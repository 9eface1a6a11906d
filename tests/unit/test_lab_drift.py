"""One replica that differs, as the lab plants it: a pod that starts while its ConfigMap says something else."""

import json
from types import SimpleNamespace

import pytest

from lab.defects.drift import MARK, edit_for_one
from lab.errors import LabError


class Cluster:
    """A Deployment of two pods that replaces at once what is deleted; each pod `has` what the ConfigMap said then."""

    def __init__(self):
        self.text, self.has, self.labels = "root: /storage", {"p-0": None, "p-1": None}, {}
        self.has = dict.fromkeys(self.has, self.text)
        self.profile = SimpleNamespace(namespace="h")

    def kubectl(self, verb, kind, *rest):
        words = [word for word in rest if not word.startswith("--")]
        if (verb, kind) == ("get", "configmap"):
            return json.dumps({"data": {"f": self.text}})
        if (verb, kind) == ("get", "deployment"):
            return json.dumps({"spec": {"selector": {"matchLabels": {"app": "x"}}}})
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


def test_one_pod_has_what_its_config_map_no_longer_says_until_it_is_healed():
    plant, heal = edit_for_one("c", "f", "/storage", "/tmp/x", deployment="d")
    cluster = Cluster()
    for _ in range(2):
        plant(cluster)
        assert cluster.has == {"p-1": "root: /storage", "p-0-next": "root: /tmp/x"}
        assert cluster.text == "root: /storage"
        assert cluster.labels == {"p-0-next": f"{MARK}=true"}
    heal(cluster)
    assert set(cluster.has.values()) == {"root: /storage"}


def test_a_text_that_is_not_there_is_no_drift():
    plant, _ = edit_for_one("c", "f", "/elsewhere", "/tmp/x", deployment="d")
    with pytest.raises(LabError, match="has no '/elsewhere'"):
        plant(Cluster())
