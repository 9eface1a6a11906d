"""Pods that do nothing but pull images and print one line: what a kubelet makes of a registry."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kubernetes import client

from harbor_verify.cleanup import RUN_LABEL
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import DeadlinePassed, NeedMissing, TargetUnreachable
from harbor_verify.model.named_hosts import is_about_another
from harbor_verify.model.node_kinds import (
    architecture,
    is_reserved,
    is_virtual,
    operating_system,
    spread_sample,
)
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

REFUSED = {
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "RegistryUnavailable",
}
_EVENT_OF = re.compile(r"spec\.containers\{(pull-\d+)\}")
_IMAGE = re.compile(r'image \\?"([^"\\]+)')
"""As a kubelet says which image it could not pull."""
FIRST_CONTAINER = "pull-0"
_NOT_TAKEN = (400, 403, 422)
"""Admission webhooks may choose any of them."""
_NOBODY = 65534
MOST_NODES = 12
"""So many kubelets are asked at most: the registry, not the cluster, is verified."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""As Kubernetes calls them."""
_NOTE = "note"
"""A key of the pull secret that each container mounts. A kubelet that has not been told of a new Secret yet pulls
without it, and fails; for a mount it waits."""
_TO_SET_UP = {
    "server gave HTTP response to HTTPS client": "the node's container runtime expects TLS: give it a hosts.toml "
    "(containerd) or insecure-registries (docker) for this registry",
    "certificate signed by unknown authority": "the node's container runtime does not trust the registry's "
    "certificate: give it the CA",
    "no such host": "the node cannot resolve the registry's name",
    "server misbehaving": "the node's own DNS does not answer",
}
"""What a kubelet says whose node was never set up for this registry, and what is missing there. Of a certificate that
has expired, or is for another name, the words are others: that is Harbor's."""
_NO_MESH = {"sidecar.istio.io/inject": "false"}
_NO_MESH_NOTE = {"linkerd.io/inject": "disabled"}
"""A proxy beside a container that ends would keep its pod from ending."""


@dataclass(frozen=True)
class Pulled:
    """What became of one container: `printed` when it ran to its end, else `error_message` as the kubelet says it."""

    pod: str
    node: str
    image: str
    printed: str = ""
    error_message: str = ""

    @property
    def to_set_up(self) -> str:
        """What is missing on the node, where that is why it could not pull; empty: nothing that is known."""
        return to_set_up(self.error_message, self.image)


def to_set_up(words: str, image: str = "") -> str:
    """What has to be set up on a node whose kubelet says this of pulling an image; empty where that is not why.

    Where the registry sends clients to somebody whom they cannot reach, it is not. Without `image`: the one that the
    words name.
    """
    named = _IMAGE.search(words)
    if is_about_another(words, image or (named[1] if named else "")):
        return ""
    return next((advice for sign, advice in _TO_SET_UP.items() if sign in words), "")


def nodes_to_pull_on(target: Target) -> tuple[list[str], str]:
    """(names, note) of the nodes that pods of ours are for; the note says which others there are, empty: none.

    Those that are Ready, take pods, and run Linux on the architecture of our image (this machine's, unless --image
    names another); none that a taint keeps for others, unless all are; of many a sample, evenly spread over their
    names. Raises NeedMissing where there is none.
    """
    ready = [node for node in target.deployment.nodes() if not node.spec.unschedulable]
    fitting = [node for node in ready if _runs_our_images(target, node)]
    if not fitting:
        raise NeedMissing(
            "no node of the cluster is Ready, takes pods and runs images of this machine's kind"
        )
    ours = [node for node in fitting if not is_reserved(node)] or fitting
    asked = spread_sample(ours, MOST_NODES)
    left_out = [f"{len(ours) - len(asked)} more like them"] if len(asked) < len(ours) else []
    left_out += [f"{len(ready) - len(fitting)} of another kind"] if len(fitting) < len(ready) else []
    left_out += (
        [f"{len(fitting) - len(ours)} that taints keep for others"] if len(ours) < len(fitting) else []
    )
    note = f"{len(asked)} nodes pull; not asked: {', '.join(left_out)}" if left_out else ""
    return [node.metadata.name for node in asked], note


def _runs_our_images(target: Target, node: client.V1Node) -> bool:
    if operating_system(node) != "linux" or is_virtual(node):
        return False
    ours = _ARCHITECTURES.get(platform.machine(), "")
    return bool(target.settings.image) or architecture(node) in ("", ours)


def run_on_each(
    target: Target, nodes: Sequence[str], images: Sequence[str], credentials: Credentials, *, run_id: str
) -> list[Pulled]:
    """Run a pod on each node, with a container for each image, which is pulled anew; one result a container.

    The pull secret holds `credentials`. Whoever calls this has pods and Secret removed (harbor_verify/cleanup.py).
    Raises TargetUnreachable, NeedMissing when the cluster or a node does not take such a pod (a ResourceQuota, a
    policy, no room), and DeadlinePassed when a container comes to no end for another reason than its image.
    """
    namespace = target.namespace
    secret = make_pull_secret(target, credentials, run_id)
    pods = {f"harbor-verify-{run_id}-{number}": node for number, node in enumerate(nodes)}
    for name, node in pods.items():
        make_pod(target, pod_of(name, node, images, secret.metadata.name, run_id))
    timeout_s = target.settings.converge_timeout_s
    pulls = _Pulls(target, pods, images)
    try:
        wait_until(
            f"each container of {', '.join(pods)} in {namespace} has pulled its image and ended",
            pulls.look,
            deadline="converge_timeout_s",
            timeout_s=timeout_s,
        )
    except DeadlinePassed:
        pulls.blame_unfinished(timeout_s)
        if pulls.unsettled:
            raise
    pulls.read_events()
    return list(pulls.results.values())


class _Pulls:
    """What became of each container so far. A refused pull stays one: the kubelet tries again by itself."""

    def __init__(self, target: Target, pods: Mapping[str, str], images: Sequence[str]) -> None:
        """`pods` are names and the node of each."""
        self._target, self._pods, self._images = target, pods, images
        self.results: dict[tuple[str, str], Pulled] = {}
        """By pod and container."""
        self.unsettled: dict[tuple[str, str], str] = {}
        """What those wait for that have come to no end."""

    def look(self) -> None:
        """Look at all pods at once, as a refusal that the kubelet got over is not to be seen later. Raises NotYet."""
        self.unsettled = {}
        for pod in self._pods:
            self._look_at(pod)
        if self.unsettled:
            raise NotYet("; ".join(f"{pod}, {name}: {why}" for (pod, name), why in self.unsettled.items()))

    def blame_unfinished(self, after_s: float) -> None:
        """A pull that began and does not end is the registry's; for anything else `unsettled` stays as it is."""
        for pod in {pod for pod, _ in self.unsettled}:
            events = self._events(pod)
            pulling = [event.message for event in events if event.reason == "Pulling"]
            done = [event for event in events if event.reason == "Pulled" or _refused_pull(event)]
            if len(pulling) > len(done):
                for key in [key for key in self.unsettled if key[0] == pod]:
                    self._blame(*key, f"no end after {after_s:g} s; last: {pulling[-1]}")
                    del self.unsettled[key]

    def read_events(self) -> None:
        """Take in the refusals that no look at a pod has shown, where this account may list events."""
        for pod in self._pods:
            for event in self._events(pod):
                if _refused_pull(event):
                    self._blame(pod, _container_of(event), event.message)

    def _look_at(self, pod: str) -> None:
        target = self._target
        core, namespace = target.kubernetes.core, target.namespace
        pod_object = target.kubernetes.ask(
            f"read pod {namespace}/{pod}", core.read_namespaced_pod, pod, namespace
        )
        states = {status.name: status.state for status in pod_object.status.container_statuses or ()}
        require_taken(pod_object, self._pods[pod])
        for name in map(_container, range(len(self._images))):
            state = states.get(name)
            waiting, ended = (state.waiting, state.terminated) if state else (None, None)
            if (pod, name) in self.results:
                continue
            if waiting and waiting.reason in REFUSED:
                self._blame(pod, name, f"{waiting.reason}: {waiting.message or 'no message'}")
            elif ended and ended.exit_code:
                self._blame(pod, name, f"ended with exit code {ended.exit_code} ({ended.reason})")
            elif ended:
                self._settle(pod, name, printed=log_of(target, pod, name))
            else:
                self.unsettled[pod, name] = str(waiting.reason if waiting else pod_object.status.phase)

    def _blame(self, pod: str, name: str, error_message: str) -> None:
        """The first message is the one that counts: what comes later (ImagePullBackOff) only says that it was."""
        if not ((pod, name) in self.results and self.results[pod, name].error_message):
            self._settle(pod, name, error_message=_advised(error_message))

    def _settle(self, pod: str, name: str, *, printed: str = "", error_message: str = "") -> None:
        image = self._images[_number(name)]
        self.results[pod, name] = Pulled(pod, self._pods[pod], image, printed, error_message)

    @cached_property
    def _may_list_events(self) -> bool:
        return self._target.kubernetes.may("list", "events", namespace=self._target.namespace)

    def _events(self, pod: str) -> list[client.CoreV1Event]:
        kubernetes, namespace = self._target.kubernetes, self._target.namespace
        if not self._may_list_events:
            return []
        listed = kubernetes.ask(
            f"list the events of pod {namespace}/{pod}",
            kubernetes.core.list_namespaced_event,
            namespace,
            field_selector=f"involvedObject.kind=Pod,involvedObject.name={pod}",
        ).items
        return [event for event in listed if _container_of(event)]


def make_pod(target: Target, body: client.V1Pod) -> None:
    """Raises NeedMissing where the cluster does not take such a pod: a quota, a policy, an admission webhook.

    Raises TargetUnreachable.
    """
    kubernetes, name = target.kubernetes, f"{target.namespace}/{body.metadata.name}"
    target.ledger.made("Pod", body.metadata.name)
    try:
        kubernetes.ask(f"make pod {name}", kubernetes.core.create_namespaced_pod, target.namespace, body)
    except TargetUnreachable as refused:
        answer = refused.__cause__
        if isinstance(answer, client.ApiException) and answer.status in _NOT_TAKEN:
            raise NeedMissing(f"the cluster does not take a pod of this suite: {refused}") from refused
        raise


def require_taken(pod: client.V1Pod, node: str | None) -> None:
    """Raises NeedMissing where a kubelet has refused a pod as a whole, before any container of it began."""
    status = pod.status
    if status.phase == "Failed" and not status.container_statuses:
        words = ": ".join(filter(None, (status.reason, status.message)))
        raise NeedMissing(f"node {node} does not take a pod of this suite: {words or 'no reason is given'}")


def _refused_pull(event: client.CoreV1Event) -> bool:
    # `Failed` is also what the kubelet calls a container that does not start.
    return event.reason == "Failed" and (event.message or "").startswith("Failed to pull image")


def _container_of(event: client.CoreV1Event) -> str:
    """The container of ours that an event is about; empty: another, or the pod."""
    match = _EVENT_OF.fullmatch(event.involved_object.field_path or "")
    return match[1] if match else ""


def log_of(target: Target, pod: str, container: str) -> str:
    """What a container of a pod of ours has written. Raises TargetUnreachable."""
    kubernetes = target.kubernetes
    what = f"read the log of pod {target.namespace}/{pod}"
    read = kubernetes.core.read_namespaced_pod_log
    # Decoded here: the library gives bytes as their Python literal.
    answer = kubernetes.ask(what, read, pod, target.namespace, container=container, _preload_content=False)
    return answer.data.decode(errors="replace").strip()


def _advised(error_message: str) -> str:
    advice = to_set_up(error_message)
    return f"{error_message}; {advice}" if advice else error_message


def make_pull_secret(target: Target, credentials: Credentials, run_id: str) -> client.V1Secret:
    """Raises TargetUnreachable."""
    kubernetes, secret = target.kubernetes, pull_secret(target.registry_host, credentials, run_id)
    target.ledger.made("Secret", secret.metadata.name)
    create = kubernetes.core.create_namespaced_secret
    kubernetes.ask("make a pull secret", create, target.namespace, secret)
    return secret


def pull_secret(host: str, credentials: Credentials, run_id: str) -> client.V1Secret:
    """A pull secret of this run's own, with a note that a container can mount."""
    return client.V1Secret(
        metadata=client.V1ObjectMeta(name=f"harbor-verify-{run_id}", labels=_labels(run_id)),
        type="kubernetes.io/dockerconfigjson",
        string_data={
            ".dockerconfigjson": json.dumps({"auths": {host: {"auth": credentials.login}}}),
            _NOTE: f"made by harbor-verify run {run_id}",
        },
    )


def pod_of(name: str, node: str, images: Sequence[str], secret: str, run_id: str) -> client.V1Pod:
    """A pod on a node, with a container for each image, which is pulled anew; none is started again.

    As little as the strictest Pod Security Standard allows.
    """
    security = client.V1SecurityContext(
        allow_privilege_escalation=False,
        run_as_non_root=True,
        run_as_user=_NOBODY,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )
    return client.V1Pod(
        metadata=client.V1ObjectMeta(
            name=name, labels={**_labels(run_id), **_NO_MESH}, annotations=dict(_NO_MESH_NOTE)
        ),
        spec=client.V1PodSpec(
            node_name=node,
            restart_policy="Never",
            automount_service_account_token=False,
            enable_service_links=False,
            tolerations=[client.V1Toleration(operator="Exists")],
            volumes=[
                client.V1Volume(
                    name=_NOTE,
                    secret=client.V1SecretVolumeSource(
                        secret_name=secret, items=[client.V1KeyToPath(key=_NOTE, path=_NOTE)]
                    ),
                )
            ],
            image_pull_secrets=[client.V1LocalObjectReference(name=secret)],
            containers=[
                client.V1Container(
                    name=_container(number),
                    image=image,
                    image_pull_policy="Always",
                    security_context=security,
                    # A ResourceQuota may ask for them.
                    resources=client.V1ResourceRequirements(
                        requests={"cpu": "10m", "memory": "32Mi"}, limits={"cpu": "500m", "memory": "128Mi"}
                    ),
                    volume_mounts=[client.V1VolumeMount(name=_NOTE, mount_path=f"/{_NOTE}", read_only=True)],
                )
                for number, image in enumerate(images)
            ],
        ),
    )


def _container(number: int) -> str:
    return f"pull-{number}"


def _number(container: str) -> int:
    return int(container.rpartition("-")[2])


def _labels(run_id: str) -> Mapping[str, str]:
    return {RUN_LABEL: run_id}
