"""Workloads and their replicas, as they are in the cluster at the moment of asking."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kubernetes.client import V1Container, V1Node, V1Pod, V1PodTemplateSpec

from harbor_verify import clock
from harbor_verify.model.roles import Part, Role


@dataclass(frozen=True)
class Workload:
    """A controller of pods. `desired` is how many it was asked for; `selector` chooses its pods.

    `port` is where it is spoken to, with TLS where `tls`. `labels` are the controller's own. `container` is the name of
    the one that plays the role: what a mesh injects into pods may come before it, and ports need not be declared.
    """

    role: Role
    kind: str
    namespace: str
    name: str
    desired: int
    selector: tuple[tuple[str, str], ...]
    template: V1PodTemplateSpec
    port: int
    tls: bool = False
    container: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def object(self) -> str:
        """Kind and `namespace/name`, as messages say it."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def label_selector(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self.selector)

    @property
    def short_name(self) -> str:
        """web-rc → web; what its replicas are counted under."""
        return self.name.removesuffix("-rc")


@dataclass(frozen=True)
class Rollout:
    """How far a workload's pods are of its template as it is now: `updated` of the `desired` are, `former` still are of
    another. `stuck`: why it gets no further, as its controller or its specification says; empty: no reason is known.
    """

    desired: int
    updated: int
    former: int
    stuck: str = ""

    @property
    def is_complete(self) -> bool:
        return self.updated >= self.desired and not self.former


_BROKEN = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""What a container waits for that does not become well by waiting."""


@dataclass(frozen=True)
class Replica:
    """One pod of a workload, known by its ordinal (age order), so that names stay the same from run to run."""

    workload: Workload
    ordinal: int
    pod: V1Pod

    @property
    def name(self) -> str:
        """web-0; for messages see `object`."""
        return f"{self.workload.short_name}-{self.ordinal}"

    @property
    def pod_name(self) -> str:
        return self.pod.metadata.name

    @property
    def uid(self) -> str:
        return self.pod.metadata.uid

    @property
    def node(self) -> str | None:
        return self.pod.spec.node_name

    @property
    def address(self) -> str | None:
        return self.pod.status.pod_ip

    @property
    def container(self) -> V1Container:
        """The container that plays the role."""
        containers = self.pod.spec.containers
        named = [each for each in containers if each.name == self.workload.container]
        return named[0] if named else listening_at(containers, self.workload.port)

    @property
    def object(self) -> str:
        """`pod namespace/name (web-0 on node-1)`, and its state where that is not Ready."""
        where = f" on {self.node}" if self.node else ""
        state = "" if self.ready else f", {self.state}"
        return f"pod {self.pod.metadata.namespace}/{self.pod_name} ({self.name}{where}{state})"

    @property
    def ready(self) -> bool:
        return is_ready(self.pod)

    @property
    def running(self) -> bool:
        """Whether its container runs now, Ready or not."""
        return self.runs(self.container.name)

    def runs(self, container: str) -> bool:
        """Whether a container of its pod runs now, Ready or not."""
        statuses = self.pod.status.container_statuses or ()
        return any(s.name == container and s.state and s.state.running for s in statuses)

    @property
    def state(self) -> str:
        """Ready, or why not, as far as the pod's status says it."""
        return "Ready" if self.ready else why_not_ready(self.pod)

    @property
    def broken(self) -> bool:
        """Whether a container of its pod cannot run, and waiting will not mend it."""
        return any(reason in self.state for reason in _BROKEN)


def may_get_ready(replicas: Collection[Replica], least: int, within_s: float) -> bool:
    """Whether what is not Ready of a workload's replicas may just be starting, as where an autoscaler asks for more:
    `least` are Ready, so many as are needed, and the others were made less than `within_s` seconds ago and can run.
    """
    youngest = clock.now() - timedelta(seconds=within_s)
    others = [replica for replica in replicas if not replica.ready]
    return len(replicas) - len(others) >= least and all(
        not replica.broken and replica.pod.metadata.creation_timestamp > youngest for replica in others
    )


def is_ready(pod_or_node: V1Pod | V1Node) -> bool:
    """Whether its condition Ready is True."""
    return any(c.type == "Ready" and c.status == "True" for c in pod_or_node.status.conditions or ())


def why_not_ready(pod: V1Pod) -> str:
    """Pending (Unschedulable), Running (CrashLoopBackOff), not Ready."""
    for status in pod.status.container_statuses or ():
        if status.state and status.state.waiting and status.state.waiting.reason:
            return f"{pod.status.phase} ({status.state.waiting.reason})"
    for condition in pod.status.conditions or ():
        if condition.status == "False" and condition.type == "PodScheduled":
            return f"{pod.status.phase} ({condition.reason})"
    return "not Ready" if pod.status.phase == "Running" else str(pod.status.phase)


def ready_since(pod: V1Pod) -> datetime | None:
    """When it became Ready last; None where it is not."""
    for condition in pod.status.conditions or ():
        if condition.type == "Ready" and condition.status == "True":
            return condition.last_transition_time
    return None


def replicas_of(workload: Workload, pods: Iterable[V1Pod]) -> list[Replica]:
    """The workload's replicas among `pods`, oldest first; those that are being deleted or have ended do not count."""
    found = alive(dict(workload.selector), pods)
    return [Replica(workload, ordinal, pod) for ordinal, pod in enumerate(found)]


def alive(selector: Mapping[str, str], pods: Iterable[V1Pod]) -> list[V1Pod]:
    """Those of `pods` with these labels that are there to stay, oldest first."""
    wanted = set(selector.items())
    found = [
        pod
        for pod in pods
        if wanted <= set((pod.metadata.labels or {}).items())
        and pod.metadata.deletion_timestamp is None
        and pod.status.phase not in ("Succeeded", "Failed")
    ]
    return sorted(found, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))


_OF_ANYBODY = frozenset({"component", "app.kubernetes.io/component"})
"""Labels that say which part of something it is, and not of what."""


def bears_label(part: Part, template: V1PodTemplateSpec) -> bool:
    """Whether pods of this template have a label of that part of Harbor.

    `component: core` may be anybody's core: it counts where another label names Harbor, or the image is Harbor's.
    """
    labels = (template.metadata.labels or {}) if template.metadata else {}
    borne = {key for key, value in part.labels if labels.get(key) == value}
    if not borne or borne - _OF_ANYBODY:
        return bool(borne)
    others = (value for key, value in labels.items() if key not in _OF_ANYBODY)
    return any("harbor" in value.lower() for value in others) or runs_image(part, template)


def release_of(labels: Mapping[str, str] | None) -> str:
    """The name that a chart was installed under; empty where no label tells it."""
    known = labels or {}
    return known.get("release") or known.get("app.kubernetes.io/instance") or ""


def runs_image(part: Part, template: V1PodTemplateSpec) -> bool:
    """Whether pods of this template run an image that is called like one of that part of Harbor."""
    return bool(_of_image(part, template.spec.containers))


def own_container(part: Part, containers: Sequence[V1Container], port: int) -> V1Container:
    """The one that plays the role: it runs an image of that part, else it is `listening_at` the port."""
    return next(iter(_of_image(part, containers)), None) or listening_at(containers, port)


def listening_at(containers: Sequence[V1Container], port: int) -> V1Container:
    """The first that declares the port, else the first."""
    declaring = [each for each in containers if port in {p.container_port for p in each.ports or ()}]
    return (declaring or containers)[0]


def _of_image(part: Part, containers: Sequence[V1Container]) -> list[V1Container]:
    return [each for each in containers if image_name(each.image) in part.images]


def image_name(reference: str | None) -> str:
    """The last component of an image's name: mirror:5000/harbor/registry:v3@sha256:… → registry."""
    return (reference or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
