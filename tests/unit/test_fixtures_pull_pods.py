"""Pods that pull: what is asked of Kubernetes, and what becomes of each container."""

import base64
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import cleanup, pull_pods
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import DeadlinePassed, NeedMissing, TargetUnreachable
from tests.unit.ledgers import MemoryLedger

IMAGES = ("h:1/p/busybox:a", "h:1/p/busybox:b")


def state(**of):
    return client.V1ContainerState(**of)


ENDED = state(terminated=client.V1ContainerStateTerminated(exit_code=0))
CREATING = state(waiting=client.V1ContainerStateWaiting(reason="ContainerCreating"))


def refused(message, reason="ErrImagePull"):
    return state(waiting=client.V1ContainerStateWaiting(reason=reason, message=message))


class Core:
    """Keeps what is made; `states` are of each pod's containers, in turn of asking (the last stays)."""

    def __init__(self, *states):
        self.states, self.pods, self.secrets, self.events = list(states), {}, {}, []

    def create_namespaced_secret(self, namespace, body):
        self.secrets[body.metadata.name] = body

    def create_namespaced_pod(self, namespace, body):
        self.pods[body.metadata.name] = body

    def read_namespaced_pod(self, name, namespace):
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        statuses = [SimpleNamespace(name=f"pull-{n}", state=each) for n, each in enumerate(now)]
        return SimpleNamespace(status=SimpleNamespace(phase="Pending", container_statuses=statuses))

    def read_namespaced_pod_log(self, name, namespace, *, container, _preload_content):
        return SimpleNamespace(data=f"{name} {container}\n".encode())

    def list_namespaced_event(self, namespace, field_selector):
        return SimpleNamespace(items=self.events)


def target_of(core, *, may=lambda verb, resource: True):
    @contextmanager
    def asking(what):
        yield

    kubernetes = SimpleNamespace(
        core=core,
        asking=asking,
        ask=lambda what, call, *args, **kwargs: call(*args, **kwargs),
        may=lambda verb, resource, namespace: may(verb, resource),
    )
    settings = SimpleNamespace(converge_timeout_s=0.3)
    return SimpleNamespace(
        kubernetes=kubernetes,
        namespace="harbor",
        registry_host="h:1",
        settings=settings,
        ledger=MemoryLedger("r1"),
    )


def run(core, nodes=("node-1",)):
    credentials = Credentials("admin", "s3cret-word")
    return pull_pods.run_on_each(target_of(core), nodes, IMAGES, credentials, run_id="r1")


def test_each_node_runs_a_container_for_each_image_and_its_print_is_told():
    core = Core([CREATING, None], [ENDED, CREATING], [ENDED, ENDED])
    results = run(core, nodes=("node-1", "node-2"))
    assert sorted((r.node, r.image, r.printed, r.error_message) for r in results) == [
        (node, image, f"harbor-verify-r1-{number} pull-{count}", "")
        for number, node in enumerate(("node-1", "node-2"))
        for count, image in enumerate(IMAGES)
    ]


def test_pods_and_secret_stand_in_the_ledger():
    core = Core([ENDED, ENDED])
    target = target_of(core)
    pull_pods.run_on_each(target, ["node-1"], IMAGES, Credentials("admin", "x"), run_id="r1")
    assert target.ledger.log == [
        ("made", "Secret", "harbor-verify-r1"), ("made", "Pod", "harbor-verify-r1-0")
    ]  # fmt: skip


def test_the_pod_is_pinned_pulls_anew_and_asks_for_nothing_more():
    core = Core([ENDED, ENDED])
    run(core)
    (pod,) = core.pods.values()
    assert pod.spec.node_name == "node-1"
    assert pod.spec.automount_service_account_token is False
    assert {c.image_pull_policy for c in pod.spec.containers} == {"Always"}
    assert all(c.security_context.run_as_non_root for c in pod.spec.containers)
    (secret,) = core.secrets.values()
    assert [each.name for each in pod.spec.image_pull_secrets] == [secret.metadata.name]
    auth = json.loads(secret.string_data[".dockerconfigjson"])["auths"]["h:1"]["auth"]
    assert base64.b64decode(auth) == b"admin:s3cret-word"
    # It waits for the Secret by mounting a part of it: the part without a password.
    (mounted,) = pod.spec.volumes
    assert mounted.secret.secret_name == secret.metadata.name
    assert [item.key for item in mounted.secret.items] == ["note"]
    assert {pod.metadata.labels[cleanup.RUN_LABEL], secret.metadata.labels[cleanup.RUN_LABEL]} == {"r1"}


def test_a_pull_that_fails_is_told_in_the_kubelets_words_with_advice():
    message = "http: server gave HTTP response to HTTPS client"
    first, second = run(Core([refused("401 Unauthorized"), refused(message, "ImagePullBackOff")]))
    assert first.error_message == "ErrImagePull: 401 Unauthorized"
    assert second.error_message.startswith(
        f"ImagePullBackOff: {message}; the node's container runtime expects TLS"
    )


def event(reason, message, container="pull-1"):
    about = SimpleNamespace(field_path=f"spec.containers{{{container}}}")
    return SimpleNamespace(reason=reason, message=message, involved_object=about)


def test_a_refusal_that_the_kubelet_got_over_is_still_told():
    core = Core([ENDED, ENDED])
    core.events = [
        event("Failed", "Failed to pull image: 401"),
        event("Failed", "Error: no such file", "pull-0"),
    ]
    assert [r.error_message for r in run(core)] == ["", "Failed to pull image: 401"]


def test_a_pull_that_begins_and_does_not_end_is_the_registrys():
    core = Core([ENDED, CREATING])
    core.events = [event("Pulling", "Pulling image x")]
    assert "no end after 0.3 s; last: Pulling image x" in run(core)[1].error_message


def test_a_container_that_ends_badly_is_an_error():
    died = state(terminated=client.V1ContainerStateTerminated(exit_code=127, reason="Error"))
    assert run(Core([ENDED, died]))[1].error_message == "ended with exit code 127 (Error)"


def test_a_pod_that_comes_to_no_end_is_no_verdict_and_says_where_it_is():
    with pytest.raises(DeadlinePassed, match=r"pull-1: ContainerCreating"):
        run(Core([ENDED, CREATING]))


def node(name, *, unschedulable=False, taints=(), **labels):
    named = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"} | {
        key.replace("_", "."): value for key, value in labels.items()
    }
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, labels=named),
        spec=SimpleNamespace(unschedulable=unschedulable, taints=[client.V1Taint(**each) for each in taints]),
    )


def nodes_to_pull_on(monkeypatch, *nodes, image=None):
    monkeypatch.setattr(pull_pods.platform, "machine", lambda: "x86_64")
    return pull_pods.nodes_to_pull_on(
        SimpleNamespace(
            deployment=SimpleNamespace(nodes=lambda: list(nodes)), settings=SimpleNamespace(image=image)
        )
    )


ARM, WINDOWS = {"kubernetes_io/arch": "arm64"}, {"kubernetes_io/os": "windows"}


def test_every_node_that_can_run_our_image_is_asked(monkeypatch):
    assert nodes_to_pull_on(monkeypatch, node("b"), node("a"), node("c", unschedulable=True)) == (
        ["a", "b"],
        "",
    )


def test_nodes_of_another_kind_are_told_and_not_asked(monkeypatch):
    names, note = nodes_to_pull_on(monkeypatch, node("a"), node("arm", **ARM), node("w", **WINDOWS))
    assert (names, note) == (["a"], "1 nodes pull; not asked: 2 of another kind")
    assert nodes_to_pull_on(monkeypatch, node("a"), node("arm", **ARM), image="x")[0] == ["a", "arm"]


def test_of_many_nodes_a_sample_is_asked(monkeypatch):
    names, note = nodes_to_pull_on(monkeypatch, *(node(f"n{number:03}") for number in range(500)))
    assert len(names) <= pull_pods.MOST_NODES
    assert names[0] == "n000"
    assert names[-1] > "n400"
    assert note == f"{len(names)} nodes pull; not asked: {500 - len(names)} more like them"


def test_without_a_node_that_fits_the_need_is_named(monkeypatch):
    with pytest.raises(NeedMissing, match="this machine's kind"):
        nodes_to_pull_on(monkeypatch, node("arm", **ARM))


GPU = ({"key": "nvidia.com/gpu", "effect": "NoSchedule"},)
SLOW = ({"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"},)


def test_nodes_that_taints_keep_for_others_are_asked_only_where_there_are_no_others(monkeypatch):
    names, note = nodes_to_pull_on(monkeypatch, node("a", taints=SLOW), node("gpu", taints=GPU))
    assert (names, note) == (["a"], "1 nodes pull; not asked: 1 that taints keep for others")
    assert nodes_to_pull_on(monkeypatch, node("gpu", taints=GPU)) == (["gpu"], "")


@pytest.mark.parametrize(
    "label",
    [{"type": "virtual-kubelet"}, {"liqo_io/type": "virtual-node"}],
    ids=lambda label: next(iter(label)),
)
def test_what_stands_for_something_else_than_a_machine_is_not_asked(monkeypatch, label):
    assert nodes_to_pull_on(monkeypatch, node("a"), node("aci", **label))[0] == ["a"]


def test_a_pod_that_a_node_refuses_as_a_whole_is_told_at_once_and_blocks():
    core = Core([None, None])
    core.read_namespaced_pod = lambda name, namespace: SimpleNamespace(
        status=SimpleNamespace(
            phase="Failed", reason="OutOfcpu", message="Node has no room", container_statuses=None
        )
    )
    with pytest.raises(NeedMissing, match=r"node node-1 does not take .*OutOfcpu: Node has no room"):
        run(core)


def test_a_pod_is_what_restricted_namespaces_and_quotas_ask_for_and_stays_out_of_a_mesh():
    """Pod Security Standards, restricted; a ResourceQuota refuses what names no requests and limits."""
    core = Core([ENDED, ENDED])
    run(core)
    (pod,) = core.pods.values()
    for container in pod.spec.containers:
        context = container.security_context
        assert context.allow_privilege_escalation is False
        assert context.capabilities.drop == ["ALL"]
        assert context.seccomp_profile.type == "RuntimeDefault"
        assert set(container.resources.requests) == set(container.resources.limits) == {"cpu", "memory"}
    assert {kind for volume in pod.spec.volumes for kind, given in volume.to_dict().items() if given} == {
        "name",
        "secret",
    }
    assert pod.metadata.labels["sidecar.istio.io/inject"] == "false"
    assert pod.metadata.annotations["linkerd.io/inject"] == "disabled"


@pytest.mark.parametrize(
    "words, missing",
    [
        (
            'Head "https://h:1/v2/p": tls: failed to verify certificate: x509: certificate signed by unknown authority',
            "CA",
        ),
        ('Head "https://h:1/v2/p": http: server gave HTTP response to HTTPS client', "hosts.toml"),
        ("dial tcp: lookup h on 10.0.0.2:53: no such host", "resolve"),
        ("dial tcp: lookup h on 10.0.0.2:53: server misbehaving", "DNS"),
        (
            'Failed to pull image "h:1/p:1": Get "http://o/service/token?x=y": dial tcp: lookup o: no such host',
            "resolve",
        ),
        # These are Harbor's.
        (
            'Failed to pull image "h:1/p:1": Get "http://store:9/bucket/v2/x": dial tcp: lookup store: no such host',
            "",
        ),
        ("x509: certificate has expired or is not yet valid", ""),
        ("x509: certificate is valid for a.example, not h", ""),
        ("401 Unauthorized", ""),
        ("dial tcp 10.0.0.9:443: connect: connection refused", ""),
    ],
)
def test_what_has_to_be_set_up_on_a_node_is_told_from_what_is_harbors(words, missing):
    advice = pull_pods.Pulled("p", "node-1", "h:1/p:1", error_message=words).to_set_up
    assert (missing in advice) if missing else not advice
    assert pull_pods.to_set_up(words) == advice


@pytest.mark.parametrize(
    "status, words",
    [
        (403, 'pods "p" is forbidden: exceeded quota: team-quota, requested: limits.cpu=500m'),
        (403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest"'),
        (400, 'admission webhook "images.example" denied the request: registry h:1 is not allowed'),
    ],
)
def test_a_pod_that_the_cluster_does_not_take_blocks_with_its_words(status, words):
    core = Core([ENDED, ENDED])
    target = target_of(core)
    kubernetes = Kubernetes.__new__(Kubernetes)
    kubernetes.configuration = SimpleNamespace(host="https://k")

    def refuse(namespace, body):
        answer = client.ApiException(status=status, reason="no")
        answer.body = json.dumps({"message": words})
        raise answer

    core.create_namespaced_pod = refuse
    target.kubernetes.ask = kubernetes.ask
    with pytest.raises(NeedMissing) as told:
        pull_pods.run_on_each(target, ["node-1"], IMAGES, Credentials("admin", "x"), run_id="r1")
    assert words in str(told.value)


def test_an_api_server_that_fails_is_no_need():
    core = Core([ENDED, ENDED])

    def fail(namespace, body):
        raise TargetUnreachable("make pod: 500") from client.ApiException(status=500)

    core.create_namespaced_pod = fail
    with pytest.raises(TargetUnreachable) as told:
        run(core)
    assert not isinstance(told.value, NeedMissing)
