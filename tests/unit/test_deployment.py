"""Which pods are replaced, what is waited for, and when volumes are made anew; the cluster is a fake."""

import copy
import json
import shutil

import pytest

from lab import settings
from lab.deployment import rollout
from lab.deployment.manifests import secrets, volumes
from lab.deployment.manifests.objects import WORKLOADS, find, of_kind, workload
from lab.errors import NotReady
from lab.profiles import HARBOR_1_2, HARBOR_2

SETTINGS = rollout.DeploymentSettings(ceph_key="k")


class FakeCluster:
    """Answers `kubectl get` from its objects and takes notes of everything else."""

    def __init__(self, wanted):
        self.pods, self.replica_sets, self.deployments = {}, {}, {}
        for each in of_kind(wanted, *WORKLOADS):
            name = each["metadata"]["name"]
            if each["kind"] == "Deployment":
                self.add_replica_set(each, f"{name}-first")
                counts = dict.fromkeys(("replicas", "updatedReplicas"), each["spec"]["replicas"])
                self.deployments[name] = copy.deepcopy(each) | {"status": counts | {"observedGeneration": 1}}
                self.deployments[name]["metadata"]["generation"] = 1
            for ordinal in range(each["spec"]["replicas"]):
                self.add_pod(each, f"{name}-{ordinal}")
        self.volumes = copy.deepcopy(of_kind(wanted, "PersistentVolume", "PersistentVolumeClaim"))
        for volume in self.volumes:
            volume["status"] = {"phase": "Bound"}
            if volume["kind"] == "PersistentVolume":
                del volume["spec"]["storageClassName"]  # the API server leaves out what is empty
        self.owned = copy.deepcopy(wanted)
        self.applied = ""
        self.calls = []

    def add_replica_set(self, workload, name):
        replica_set = {
            "kind": "ReplicaSet",
            "metadata": {"name": name},
            "spec": copy.deepcopy(workload["spec"]),
        }
        replica_set["metadata"]["ownerReferences"] = [
            {"kind": "Deployment", "name": workload["metadata"]["name"]}
        ]
        self.replica_sets[name] = replica_set

    def add_pod(self, workload, name):
        pod = {"kind": "Pod", **copy.deepcopy(workload["spec"]["template"])}
        owner = {"kind": workload["kind"], "name": workload["metadata"]["name"]}
        if workload["kind"] == "Deployment":
            owner = {"kind": "ReplicaSet", "name": f"{owner['name']}-first"}
        pod["metadata"] |= {"name": name, "ownerReferences": [owner]}
        pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        self.pods[name] = pod

    def __call__(self, verb, *words, input=None):
        if verb == "apply":
            return self.applied
        options = {word for word in words if word.startswith("--")}
        what, *names = [word for word in words if word not in options]
        told = sorted(
            option for option in options - {"--ignore-not-found"} if not option.startswith("--namespace=")
        )
        if verb == "scale":
            self.calls.append((verb, what, *told))
            return ""
        if verb == "delete":
            self.calls.append((verb, what, *names, *told))
            self.volumes = [
                each for each in self.volumes if f"{each['kind'].lower()}/{each['metadata']['name']}" != what
            ]
            return ""
        pods = list(self.pods.values())
        found = {
            "pods": pods,
            "pods,replicasets,deployments": [
                *pods,
                *self.replica_sets.values(),
                *self.deployments.values(),
            ],
            "persistentvolumes,persistentvolumeclaims": self.volumes,
        }
        if f"--selector={rollout.OWNED}" in options:
            found[what] = [each for each in self.owned if f"{each['kind'].lower()}s" in what.split(",")]
        return json.dumps({"items": found[what]})


@pytest.fixture(scope="module")
def secrets_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("secrets") / "secrets.json"
    secrets.kept(file, HARBOR_1_2.secrets)
    return file


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)


@pytest.fixture
def folder(state, secrets_file):
    HARBOR_1_2.folder.mkdir()
    shutil.copy(secrets_file, HARBOR_1_2.folder)
    rollout.render(HARBOR_1_2, SETTINGS)
    return HARBOR_1_2.folder


@pytest.fixture
def wanted(folder):
    return rollout.rendered(folder)


@pytest.fixture
def cluster(wanted):
    return FakeCluster(wanted)


def edit_registry(objects):
    find(objects, "ConfigMap", "harbor-registry-config")["data"]["cert"] += "\n"


def test_nothing_is_touched_when_nothing_changed(cluster, folder):
    assert rollout.deploy(cluster, HARBOR_1_2, SETTINGS, timeout_s=1) == []
    assert cluster.calls == []


def test_pods_of_a_changed_config_map_are_replaced_and_no_others(cluster, folder):
    rollout.render(HARBOR_1_2, SETTINGS, edit_registry)
    names = rollout.recreate_pods_of_changed(cluster, folder, grace_s=1)
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
    changed = rollout.apply(cluster, folder)
    assert changed == {"configmap/harbor-jobservice-config", "replicationcontroller/nginx-rc"}
    names = rollout.recreate_pods_of_changed(cluster, folder, changed)
    assert names == ["jobservice-rc-0", "nginx-rc-0", "nginx-rc-1", "nginx-rc-2"]


def test_a_pod_that_is_ending_is_left_alone(cluster, folder):
    rollout.render(HARBOR_1_2, SETTINGS, edit_registry)
    cluster.pods["registry-rc-1"]["metadata"]["deletionTimestamp"] = "now"
    assert rollout.recreate_pods_of_changed(cluster, folder) == ["registry-rc-0", "registry-rc-2"]


def test_the_owner_decides_to_which_workload_a_pod_belongs(cluster, folder):
    def odd_replica(objects):
        odd = copy.deepcopy(find(objects, "ReplicationController", "ui-rc"))
        odd["metadata"]["name"], odd["spec"]["replicas"] = "ui-odd-rc", 1
        odd["spec"]["template"]["spec"]["containers"][0]["env"] = []
        objects.append(odd)

    rollout.render(HARBOR_1_2, SETTINGS, odd_replica)
    odd = find(rollout.rendered(folder), "ReplicationController", "ui-odd-rc")
    cluster.add_pod(odd, "ui-odd-rc-0")
    rollout.wait_ready(cluster, folder, timeout_s=1)
    assert rollout.recreate_pods_of_changed(cluster, folder) == []
    rollout.render(HARBOR_1_2, SETTINGS)
    with pytest.raises(NotReady, match="ui-odd-rc is no longer wanted"):
        rollout.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05)


def test_what_an_earlier_rendering_added_is_deleted(cluster, folder, wanted):
    added = copy.deepcopy(find(wanted, "ReplicationController", "ui-rc"))
    added["metadata"]["name"] = "ui-odd-rc"
    cluster.owned.append(added)
    rollout.apply(cluster, folder)
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
        rollout.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05)


def test_a_workload_that_may_stay_unready_must_still_be_there(cluster, folder):
    not_ready(cluster)
    rollout.wait_ready(cluster, folder, timeout_s=1, unready={"ui-rc"})
    absent(cluster)
    with pytest.raises(NotReady):
        rollout.wait_ready(cluster, folder, timeout_s=0.1, interval_s=0.05, unready={"ui-rc"})


def test_a_pod_that_failed_and_was_replaced_counts_no_more(cluster, folder, wanted):
    cluster.add_pod(find(wanted, "ReplicationController", "ui-rc"), "ui-rc-evicted")
    cluster.pods["ui-rc-evicted"]["status"] = {"phase": "Failed"}
    rollout.wait_ready(cluster, folder, timeout_s=1)


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


def test_labels_that_a_stateful_set_puts_on_its_claims_are_no_change(cluster, wanted):
    find(cluster.volumes, "PersistentVolumeClaim", "log-pvc")["metadata"]["labels"] = {
        "component": "jobservice"
    }
    assert not volumes.release_changed(cluster, wanted, "harbor")


def test_who_makes_claims_by_itself_goes_before_them(cluster, wanted):
    maker = {"kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": [{}]}}
    move(cluster.volumes)
    assert volumes.release_changed(cluster, [*wanted, maker], "harbor")
    assert cluster.calls[0][:2] == ("delete", "statefulset/db")


def bind(cluster, name, namespace):
    (volume,) = [each for each in cluster.volumes if each["metadata"]["name"] == name]
    volume["spec"]["claimRef"] = {"namespace": namespace, "name": "a-claim"}


def test_volumes_that_are_no_longer_wanted_are_deleted_and_those_of_others_stay(cluster, wanted):
    less = [each for each in wanted if each["kind"] != "PersistentVolume"]
    bind(cluster, "log-pv", "harbor")
    bind(cluster, "registry-pv", "another-harbor")
    volumes.delete_unwanted(cluster, wanted, "harbor")
    assert cluster.calls == []
    volumes.delete_unwanted(cluster, less, "harbor")
    assert cluster.calls == [("delete", "persistentvolume/log-pv", "--wait=false")]


@pytest.fixture(scope="module")
def newer_secrets(tmp_path_factory):
    file = tmp_path_factory.mktemp("secrets") / "secrets.json"
    secrets.kept(file, HARBOR_2.secrets)
    return file


@pytest.fixture
def newer(newer_secrets):
    """Harbor 2.x, of Deployments, with its pods as they should be."""
    HARBOR_2.folder.mkdir()
    shutil.copy(newer_secrets, HARBOR_2.folder)
    rollout.render(HARBOR_2, SETTINGS)
    return FakeCluster(rollout.rendered(HARBOR_2.folder))


def edit_core(objects):
    find(objects, "Secret", "harbor-core")["data"]["CSRF_KEY"] = "b3RoZXI="


CORES = ("harbor-core-0", "harbor-core-1", "harbor-core-2")
USERS_OF_THE_SECRET = {
    *CORES,
    *(f"harbor-registry-{n}" for n in range(3)),
    *(f"harbor-jobservice-{n}" for n in range(2)),
}


def test_deployments_that_are_as_they_should_be_are_left_alone(newer):
    assert rollout.deploy(newer, HARBOR_2, SETTINGS, timeout_s=1) == []
    assert newer.calls == []


def test_a_deployment_rolls_by_itself_at_a_changed_secret(newer):
    rollout.render(HARBOR_2, SETTINGS, edit_core)
    assert rollout.recreate_pods_of_changed(newer, HARBOR_2.folder, {"secret/harbor-core"}) == []
    with pytest.raises(NotReady, match="harbor-core-0 is outdated"):
        rollout.wait_ready(newer, HARBOR_2.folder, timeout_s=0.1, interval_s=0.05)


def test_in_a_hurry_all_pods_of_a_deployment_are_replaced_at_once(newer):
    rollout.render(HARBOR_2, SETTINGS, edit_core)
    names = rollout.recreate_pods_of_changed(newer, HARBOR_2.folder, grace_s=1)
    assert set(names) == USERS_OF_THE_SECRET
    *scaled, (verb, what, *deleted) = newer.calls
    assert scaled == [
        ("scale", f"replicaset/harbor-{name}-first", "--replicas=0")
        for name in ("core", "registry", "jobservice")
    ]
    assert (verb, what, *deleted) == ("delete", "pods", *names, "--grace-period=1", "--wait=false")


def test_pods_of_a_secret_that_was_edited_by_hand_are_replaced(newer):
    newer.applied = "secret/harbor-registry-htpasswd configured\ndeployment.apps/harbor-nginx configured\n"
    changed = rollout.apply(newer, HARBOR_2.folder)
    names = rollout.recreate_pods_of_changed(newer, HARBOR_2.folder, changed)
    assert names == ["harbor-registry-0", "harbor-registry-1", "harbor-registry-2"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found["metadata"].update(generation=2),
        lambda found: found["status"].update(replicas=4),
        lambda found: found["status"].update(updatedReplicas=2),
    ],
    ids=["not seen by its controller", "a pod too many", "a pod of before"],
)
def test_a_deployment_that_has_not_rolled_out_is_waited_for(newer, spoil):
    spoil(newer.deployments["harbor-core"])
    with pytest.raises(NotReady, match="harbor-core: "):
        rollout.wait_ready(newer, HARBOR_2.folder, timeout_s=0.1, interval_s=0.05)


def test_a_deployment_without_replicas_is_settled(newer):
    def scale_down(objects):
        workload(objects, "harbor-jobservice")["spec"]["replicas"] = 0

    rollout.render(HARBOR_2, SETTINGS, scale_down)
    for name in ("harbor-jobservice-0", "harbor-jobservice-1"):
        del newer.pods[name]
    newer.deployments["harbor-jobservice"]["status"] = {"observedGeneration": 1}
    rollout.wait_ready(newer, HARBOR_2.folder, timeout_s=1)
