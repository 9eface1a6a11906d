"""Finding a Harbor in a namespace, and reading where its configuration comes from."""

from datetime import UTC, datetime, timedelta

import pytest
from kubernetes import client

from harbor_verify.errors import TargetUnreachable
from harbor_verify.model import configuration
from harbor_verify.model.discovery import Deployment, discover
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload, image_name, replicas_of
from harbor_verify.profiles import harbor_1_2

CONFIG = (
    "version: 0.1\nstorage: {}\nauth: {token: {realm: http://h/t, service: harbor-registry, issuer: i}}\n"
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def template(image, labels, *, container="app", **kwargs):
    spec = client.V1PodSpec(containers=[client.V1Container(name=container, image=image, **kwargs)])
    return client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=spec)


def controller(name, image, labels, *, replicas=3, claim=None):
    made = template(image, labels)
    if claim:
        source = client.V1PersistentVolumeClaimVolumeSource(claim_name=claim)
        made.spec.volumes = [client.V1Volume(name="v", persistent_volume_claim=source)]
    return client.V1ReplicationController(
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1ReplicationControllerSpec(replicas=replicas, selector=labels, template=made),
    )


def pod(name, labels, *, age_s=0, phase="Running", ready=True, deleted=False):
    conditions = [client.V1PodCondition(type="Ready", status="True" if ready else "False")]
    return client.V1Pod(
        metadata=client.V1ObjectMeta(
            name=name,
            namespace="harbor",
            labels=labels,
            uid=name,
            creation_timestamp=NOON - timedelta(seconds=age_s),
            deletion_timestamp=NOON if deleted else None,
        ),
        spec=client.V1PodSpec(node_name="node-1", containers=[client.V1Container(name="app")]),
        status=client.V1PodStatus(phase=phase, conditions=conditions),
    )


class Listed:
    def __init__(self, items=()):
        self.items = list(items)


class FakeKubernetes:
    """As much of the API as discovery asks."""

    server = "https://fake"

    def __init__(self, controllers=(), claims=(), volumes=None, pods=()):
        self.core = self.apps = self
        self._controllers, self._claims, self._volumes, self._pods = controllers, claims, volumes or {}, pods

    def ask(self, what, call, *args, **kwargs):
        return call(*args, **kwargs)

    def pages(self, what, call, *args, **kwargs):
        return self.ask(what, call, *args).items

    def asking(self, what):
        from contextlib import nullcontext

        return nullcontext()

    def list_namespaced_replication_controller(self, namespace):
        return Listed(self._controllers)

    def list_namespaced_deployment(self, namespace):
        return Listed()

    list_namespaced_stateful_set = list_namespaced_deployment

    def list_namespaced_persistent_volume_claim(self, namespace):
        return Listed(self._claims)

    def list_namespaced_pod(self, namespace, label_selector):
        return Listed(self._pods)

    def read_persistent_volume(self, name):
        if name not in self._volumes:
            raise client.ApiException(status=403)
        return self._volumes[name]

    def read_namespaced_config_map(self, name, namespace):
        raise client.ApiException(status=404)


UI = controller("ui-rc", "vmware/harbor-ui:v1.2.0", {"name": "ui-apps"}, claim="log-pvc")
REGISTRY = controller("registry-rc", "mirror:5000/x/y:1", {"name": "registry-apps"}, claim="registry-pvc")


def test_workloads_are_known_by_image_or_by_label():
    found = discover(FakeKubernetes([UI, REGISTRY]), "harbor")
    assert {role: workload.name for role, workload in found.workloads.items()} == {
        Role.WEB: "ui-rc",
        Role.REGISTRY: "registry-rc",
    }
    assert found.profile is harbor_1_2.PROFILE
    assert found.workload(Role.WEB).label_selector == "name=ui-apps"
    with pytest.raises(TargetUnreachable, match="job"):
        found.workload(Role.JOB)


def test_a_namespace_without_harbor_is_told_with_what_it_holds():
    with pytest.raises(TargetUnreachable, match="it holds ReplicationController ui-rc"):
        discover(FakeKubernetes([UI]), "harbor")
    with pytest.raises(TargetUnreachable, match="no workload at all"):
        discover(FakeKubernetes(), "harbor")


def test_volumes_are_those_that_workloads_name_even_when_they_are_not_there():
    bound = client.V1PersistentVolumeClaim(
        metadata=client.V1ObjectMeta(name="log-pvc"),
        spec=client.V1PersistentVolumeClaimSpec(volume_name="log-pv"),
        status=client.V1PersistentVolumeClaimStatus(phase="Bound"),
    )
    found = discover(FakeKubernetes([UI, REGISTRY], claims=[bound]), "harbor").volumes()
    assert [(v.claim_name, v.phase, v.used_by) for v in found] == [
        ("log-pvc", "Bound", ("ui-rc",)),
        ("registry-pvc", "absent", ("registry-rc",)),
    ]
    assert found[0].volume is None  # we may not read it


def workload(**kwargs):
    given = {"selector": (("name", "ui-apps"),), "template": template("x", {}), "port": 80, **kwargs}
    return Workload(Role.WEB, "ReplicationController", "harbor", "ui-rc", 3, **given)


def test_replicas_are_counted_by_age_and_those_that_leave_do_not_count():
    labels = {"name": "ui-apps", "more": "x"}
    pods = [
        pod("young", labels, age_s=1),
        pod("old", labels, age_s=100),
        pod("leaving", labels, age_s=200, deleted=True),
        pod("evicted", labels, age_s=300, phase="Failed"),
        pod("other", {"name": "nginx-apps"}),
    ]
    found = replicas_of(workload(), pods)
    assert [(replica.name, replica.pod_name) for replica in found] == [("ui-0", "old"), ("ui-1", "young")]
    assert found[0].object == "pod harbor/old (ui-0 on node-1)"


def test_a_replica_that_is_not_ready_says_why():
    crashing = pod("p", {"name": "ui-apps"}, ready=False)
    waiting = client.V1ContainerState(waiting=client.V1ContainerStateWaiting(reason="CrashLoopBackOff"))
    crashing.status.container_statuses = [
        client.V1ContainerStatus(
            name="app", image="", image_id="", ready=False, restart_count=9, state=waiting
        )
    ]
    (replica,) = replicas_of(workload(), [crashing])
    assert "Running (CrashLoopBackOff)" in replica.object


def test_a_replica_runs_when_its_container_does_whether_ready_or_not():
    starting = pod("p", {"name": "ui-apps"}, ready=False)
    (replica,) = replicas_of(workload(), [starting])
    assert not replica.running
    state = client.V1ContainerState(running=client.V1ContainerStateRunning())
    starting.status.container_statuses = [
        client.V1ContainerStatus(name="app", image="", image_id="", ready=False, restart_count=0, state=state)
    ]
    assert replica.running


def test_no_pod_is_no_replica():
    assert (
        Deployment(FakeKubernetes(), "harbor", harbor_1_2.PROFILE, {Role.WEB: workload()}).replicas(Role.WEB)
        == []
    )


def test_a_config_map_that_is_not_there_is_none():
    assert Deployment(FakeKubernetes(), "harbor", harbor_1_2.PROFILE, {}).config_map("x") is None


@pytest.mark.parametrize(
    "reference, name",
    [
        ("vmware/harbor-ui:v1.2.0", "harbor-ui"),
        ("mirror:5000/vmware/harbor-ui", "harbor-ui"),
        ("registry", "registry"),
        ("vmware/registry@sha256:00", "registry"),
        (None, ""),
    ],
)
def test_the_name_of_an_image_is_its_last_component(reference, name):
    assert image_name(reference) == name


def mounted(*mounts, items=True):
    container = client.V1Container(
        name="registry-app", volume_mounts=[client.V1VolumeMount(**m) for m in mounts]
    )
    source = client.V1ConfigMapVolumeSource(
        name="cm",
        items=[
            client.V1KeyToPath(key="config", path="config.yml"),
            client.V1KeyToPath(key="gone", path="gone"),
        ]
        if items
        else None,
    )
    spec = client.V1PodSpec(
        containers=[container],
        volumes=[client.V1Volume(name="config", config_map=source), client.V1Volume(name="d")],
    )
    data = {"cm": {"config": CONFIG, "cert": "x"}}
    return configuration.given_texts(spec, container, data.get, lambda name: None)


def test_items_choose_and_rename_the_files_of_a_config_map():
    assert mounted({"name": "config", "mount_path": "/etc/registry"}) == {"/etc/registry/config.yml": CONFIG}


def test_without_items_every_key_is_a_file():
    files = mounted({"name": "config", "mount_path": "/etc/registry"}, items=False)
    assert files == {"/etc/registry/config": CONFIG, "/etc/registry/cert": "x"}


def test_a_sub_path_shows_one_file():
    one = {"name": "config", "mount_path": "/etc/registry/config.yml", "sub_path": "config.yml"}
    assert mounted(one, {"name": "d", "mount_path": "/data"}) == {"/etc/registry/config.yml": CONFIG}


def test_the_deepest_mount_covers_a_path():
    container = client.V1Container(
        name="c",
        volume_mounts=[
            client.V1VolumeMount(name="outer", mount_path="/etc"),
            client.V1VolumeMount(name="inner", mount_path="/etc/registry/"),
            client.V1VolumeMount(name="not", mount_path="/etc/registry2"),
        ],
    )
    assert configuration.covering_mount("/etc/registry/config.yml", container).name == "inner"
    assert configuration.covering_mount("/var/x", container) is None


@pytest.mark.parametrize(
    "argv, path",
    [
        (["/bin/registry", "serve", "/etc/registry/config.yml"], "/etc/registry/config.yml"),
        (["", "sh", "-c", "serve", "/a.yml", "", "cat"], "/a.yml"),
        (["nginx", "-g", "daemon off;"], None),
        (["serve"], None),
        (["observe", "/a.yml"], None),
    ],
)
def test_the_configuration_path_follows_the_word_serve(argv, path):
    assert configuration.config_path_in(argv) == path


def test_command_and_args_of_the_container_name_the_path():
    container = client.V1Container(name="c", command=["registry"], args=["serve", "/x.yml"])
    assert configuration.config_path_in_spec(container) == "/x.yml"
    assert configuration.config_path_in_spec(client.V1Container(name="c")) is None


def test_whom_a_registry_trusts_is_read_and_its_absence_seen():
    auth = configuration.registry_auth(CONFIG)
    assert (auth.scheme, auth.realm, auth.service) == ("Bearer", "http://h/t", "harbor-registry")
    auth = configuration.registry_auth("auth: {htpasswd: {realm: inner, path: /etc/registry/passwd}}")
    assert (auth.scheme, auth.realm, auth.service) == ("Basic", "inner", "")
    for text in ("", "version: 0.1\nstorage: {}\n", "auth: {silly: {}}", "a: [", "auth: silly"):
        assert configuration.registry_auth(text) is None
    told = {"REGISTRY_AUTH_TOKEN_REALM": "https://h/other", "REGISTRY_HTTP_ADDR": ":5000"}
    assert configuration.registry_auth(CONFIG, told).realm == "https://h/other"
    bare = "version: 0.1\nstorage: {filesystem: {}}\n"
    assert configuration.registry_auth(bare, told).challenge.startswith("401 with a Bearer challenge")
    assert configuration.registry_auth("a: b", told) is None
    assert configuration.is_registry_config(CONFIG)
    assert not configuration.is_registry_config("-----BEGIN CERTIFICATE-----")
    assert not configuration.is_registry_config("a: [")
