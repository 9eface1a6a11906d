"""Pods that run a server out of the registry: what a kubelet makes of an image that people built."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubernetes import client

from harbor_verify import pull_pods
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.replica_link import open_link
from harbor_verify.errors import AnswerError
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until


@dataclass(frozen=True)
class Served:
    """What became of a pod: what its server answered, or the kubelet's words and the log of one that ended.

    `reason` is the container's: Error, StartError, ErrImagePull, …; empty while it runs.
    """

    pod: str
    answer: str = ""
    reason: str = ""
    words: str = ""

    @property
    def to_set_up(self) -> str:
        """What is missing on the node, where that is why it could not pull; empty: nothing that is known."""
        return pull_pods.to_set_up(self.words)

    @property
    def in_words(self) -> str:
        """What it answered, or why it did not."""
        return f'answers "{self.answer}"' if self.answer else f"{self.reason}: {self.words}"


def serve(
    target: Target,
    nodes: Sequence[str],
    images: Mapping[str, str],
    port: int,
    credentials: Credentials,
    *,
    run_id: str,
) -> dict[str, Served]:
    """Run each image's own command in a pod, on one node after the other, and ask its port.

    `images` are references by what they are called here (a part of the pod's name); so are the results.

    Whoever calls this has pods and Secret removed (harbor_verify/cleanup.py).
    Raises TargetUnreachable, NeedMissing when the cluster or a node does not take such a pod, and DeadlinePassed when a
    pod comes to no end for another reason than its image.
    """
    namespace = target.namespace
    secret = pull_pods.make_pull_secret(target, credentials, run_id)
    pods = {name: f"harbor-verify-{run_id}-{name}" for name in images}
    for (name, pod), node in zip(pods.items(), itertools.cycle(nodes), strict=False):
        body = pull_pods.pod_of(pod, node, [images[name]], secret.metadata.name, run_id)
        pull_pods.make_pod(target, body)
    served: dict[str, Served] = {}

    def look() -> None:
        for name, pod in pods.items():
            if name not in served and (result := _look_at(target, pod, port)):
                served[name] = result
        if waiting := [pods[name] for name in pods if name not in served]:
            raise NotYet(f"{', '.join(waiting)} neither answers nor has ended")

    wait_until(
        f"each of {', '.join(pods.values())} in {namespace} answers on port {port}, or has ended",
        look,
        deadline="converge_timeout_s",
        timeout_s=target.settings.converge_timeout_s,
    )
    return served


def _look_at(target: Target, name: str, port: int) -> Served | None:
    """None while nothing can be said yet."""
    kubernetes, namespace = target.kubernetes, target.namespace
    pod = kubernetes.ask(f"read pod {namespace}/{name}", kubernetes.core.read_namespaced_pod, name, namespace)
    pull_pods.require_taken(pod, pod.spec.node_name)
    state = _state(pod)
    shown = f"pod {namespace}/{name} on {pod.spec.node_name}"
    if state is None:
        return None
    if state.waiting and state.waiting.reason in pull_pods.REFUSED:
        return Served(shown, reason=state.waiting.reason, words=state.waiting.message or "no message")
    if state.terminated:
        log = pull_pods.log_of(target, name, pull_pods.FIRST_CONTAINER)
        words = " ".join(filter(None, (state.terminated.message, log)))
        return Served(shown, reason=state.terminated.reason or "ended", words=words)
    if not state.running:
        return None
    link = open_link(
        kubernetes,
        name=name,
        namespace=namespace,
        pod=name,
        address=pod.status.pod_ip,
        port=port,
        timeouts_s=target.settings.timeouts_s,
    )
    try:
        return Served(shown, answer=link.get("/").text)
    except AnswerError:
        return None
    finally:
        link.close()


def _state(pod: client.V1Pod) -> client.V1ContainerState | None:
    """Of the container that this suite asked for: a mesh may have put another beside it."""
    statuses = pod.status.container_statuses or ()
    return next((s.state for s in statuses if s.name == pull_pods.FIRST_CONTAINER), None)
