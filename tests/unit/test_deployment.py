"""Which pods are replaced, what is waited for, and when volumes are made anew; the cluster is a fake."""

import copy
import json
import shutil

import pytest

from lab import deployment
from lab.errors import NotReady
from lab.manifests import secrets, volumes
from lab.manifests.objects import find, of_kind

SETTINGS = deployment.DeploymentSettings(ceph_key="k", mysql_password="m", redis_password="r")


class FakeCluster:
    """Answers `kubectl get` from its objects and takes notes of everything else."""

    def __init__(self, wanted):
        self.pods = {}
        for workload in of_kind(wanted, "ReplicationController"):
            for ordinal in range(workload["spec"]["replicas"]):
                self.add_pod(workload, f"{workload['metadata']['name']}-{ordinal}")
        self.volumes = copy.deepcopy(of_kind(wanted, "PersistentVolume", "PersistentVolumeClaim"))
        for volume in self.volumes:
            volume["status"] = {"phase": "Bound"}
            if volume["kind"] == "PersistentVolume":
                del volume["spec"]["storageClassName"]  # the API server leaves out what is empty
        self.owned = copy.deepcopy(wanted)
        self.applied = ""
        self.calls = []

    def add_pod(self, workload, name):
        pod = copy.deepcopy(workload["spec"]["template"])
        pod["metadata"] |= {
            "name": name,
            "ownerReferences": [{"kind": "ReplicationController", "name": workload["metadata"]["name"]}],
        }
        pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        self.pods[name] = pod

    def __call__(self, verb, *words, input=None):
        if verb == "apply":
            return self.applied
        options = {word for word in words if word.startswith("--")}
        what, *names = [word for word in words if word not in options]
        if verb == "delete":
            self.calls.append(
                (verb, what, *names, *sorted(options - {"--namespace=harbor", "--ignore-not-found"}))
            )
            self.volumes = [
                each for each in self.volumes if f"{each['kind'].lower()}/{each['metadata']['name']}" != what
            ]
            return ""
        found = {"pods": list(self.pods.values()), "persistentvolumes,persistentvolumeclaims": self.volumes}
        if f"--selector={deployment.OWNED}" in options:
            found[what] = [each for each in self.owned if f"{each['kind'].lower()}s" in what.split(",")]
        return json.dumps({"items": found[what]})


@pytest.fixture(scope="module")
def secrets_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("secrets") / "secrets.json"
    secrets.kept(file)
    return file


@pytest.fixture
def folder(tmp_path, secrets_file):
    shutil.copy(secrets_file, tmp_path)
    deployment.render(tmp_path, SETTINGS)
    return tmp_path


@pytest.fixture
def wanted(folder):
    return deployment.rendered(folder)


@pytest.fixture
def cluster(wanted):
    return FakeCluster(wanted)


def edit_registry(objects):
    find(objects, "ConfigMap", "harbor-registry-config")["data"]["cert"] += "\n"


def test_nothing_is_touched_when_nothing_changed(cluster, folder):
    assert deployment.deploy(cluster, folder, SETTINGS, timeout_s=1) == []
    assert cluster.calls == []


def test_pods_of_a_changed_config_map_are_replaced_and_no_others(cluster, folder):
    deployment.render(folder, SETTINGS, edit_registry)
    names = deployment.recreate_pods_of_changed(cluster, folder, grace_s=1)
    assert names == ["registry-rc-0", "registry-rc-1", "registry-rc-2"]
    assert cluster.calls == [("delete", "pods", *names, "--grace-period=1", "--wait=false")]


def test_pods_of_what_was_edited_by_hand_are_replaced(cluster, folder):
    cluster.applied = (
        "configmap/harbor-jobservice-config configured\n"
        "replicationcontroller/nginx-rc configured\n"
        "configmap/harbor-ui-config unchanged\n"
        "configmap/harbor-registry-config created\n"
        "poddisruptionbudget.policy/ui configured\n"
    )
    changed = deployment.apply(cluster, folder)
    assert changed == {"configmap/harbor-jobservice-config", "replicationcontroller/nginx-rc"}
    names = deployment.recreate_pods_of_changed(cluster, folder, changed)
    assert names == ["jobservice-rc-0", "nginx-rc-0", "nginx-rc-1", "nginx-rc-2"]


def test_a_pod_that_is_ending_is_left_alone(cluster, folder):
    deployment.render(folder, SETTINGS, edit_registry)
    cluster.pods["registry-rc-1"]["metadata"]["deletionTimestamp"] = "now"
    assert deployment.recreate_pods_of_changed(cluster, folder) == ["registry-rc-0", "registry-rc-2"]


def test_the_owner_decides_to_which_workload_a_pod_belongs(cluster, folder):
    def odd_replica(objects):
        odd = copy.deepcopy(find(objects, "ReplicationController", "ui-rc"))
        odd["metadata"]["name"], odd["spec"]["replicas"] = "ui-odd-rc", 1
        odd["spec"]["template"]["spec"]["containers"][0]["env"] = []
        objects.append(odd)

    deployment.render(folder, SETTINGS, odd_replica)
    odd = find(deployment.rendered(folder), "ReplicationController", "ui-odd-rc")
    cluster.add_pod(odd, "ui-odd-rc-0")
    deployment.wait_ready(cluster, folder, timeout_s=1)
    assert deployment.recreate_pods_of_changed(cluster, folder) == []
    deployment.render(folder, SETTINGS)
    with pytest.raises(NotReady, match="ui-odd-rc is no longer wanted"):
        deployment.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05)


def test_what_an_earlier_rendering_added_is_deleted(cluster, folder, wanted):
    added = copy.deepcopy(find(wanted, "ReplicationController", "ui-rc"))
    added["metadata"]["name"] = "ui-odd-rc"
    cluster.owned.append(added)
    deployment.apply(cluster, folder)
    assert cluster.calls == [("delete", "replicationcontrollers/ui-odd-rc", "--wait=false")]


def not_ready(cluster):
    cluster.pods["ui-rc-1"]["status"] = {
        "phase": "Running",
        "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    }


def ending(cluster):
    cluster.pods["ui-rc-1"]["metadata"]["deletionTimestamp"] = "now"


def outdated(cluster):
    cluster.pods["ui-rc-1"]["metadata"]["annotations"] = {}


def absent(cluster):
    del cluster.pods["ui-rc-1"]


@pytest.mark.parametrize(
    "spoil, seen",
    [
        (not_ready, "ui-rc-1 is Running .CrashLoopBackOff."),
        (ending, "ui-rc-1 is ending"),
        (outdated, "ui-rc-1 is outdated"),
        (absent, "ui-rc: ui-rc-0 is Ready, ui-rc-2 is Ready"),
    ],
)
def test_waiting_says_what_is_not_so(cluster, folder, spoil, seen):
    spoil(cluster)
    with pytest.raises(NotReady, match=seen):
        deployment.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05)


def test_a_workload_that_may_stay_unready_must_still_be_there(cluster, folder):
    not_ready(cluster)
    deployment.wait_ready(cluster, folder, timeout_s=1, unready={"ui-rc"})
    absent(cluster)
    with pytest.raises(NotReady):
        deployment.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05, unready={"ui-rc"})


def test_a_pod_that_failed_and_was_replaced_counts_no_more(cluster, folder, wanted):
    cluster.add_pod(find(wanted, "ReplicationController", "ui-rc"), "ui-rc-evicted")
    cluster.pods["ui-rc-evicted"]["status"] = {"phase": "Failed"}
    deployment.wait_ready(cluster, folder, timeout_s=1)


def test_unchanged_volumes_are_kept(cluster, wanted):
    assert not volumes.release_changed(cluster, wanted, "harbor")
    assert cluster.calls == []


def select_nothing(found):
    find(found, "PersistentVolumeClaim", "log-pvc")["spec"]["selector"]["matchLabels"] = {"type": "nothing"}


def swap_label(found):
    find(found, "PersistentVolume", "log-pv")["metadata"]["labels"]["type"] = "registry"


def move(found):
    find(found, "PersistentVolume", "log-pv")["spec"]["cephfs"]["path"] = "/elsewhere"


def half_released(found):
    find(found, "PersistentVolume", "log-pv")["status"]["phase"] = "Released"


@pytest.mark.parametrize("change", [select_nothing, swap_label, move, half_released])
def test_changed_volumes_are_released_after_their_users(cluster, wanted, change):
    change(cluster.volumes)
    assert volumes.release_changed(cluster, wanted, "harbor", grace_s=1)
    assert [what for _, what, *_ in cluster.calls] == [
        "persistentvolumeclaim/log-pvc",
        "persistentvolumeclaim/registry-pvc",
        "pods",
        "persistentvolume/log-pv",
        "persistentvolume/registry-pv",
    ]
    users = {"jobservice-rc-0", "registry-rc-0", "registry-rc-1", "registry-rc-2"}
    assert users == {name for name in cluster.calls[2] if "-rc-" in name}
