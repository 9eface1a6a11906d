"""One container of one replica, as the node that it runs on knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.workload import WorkloadDisruption
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Replica, Workload


@dataclass(frozen=True)
class Container:
    """`id` is the runtime's, `restarts` how often the kubelet has started it anew."""

    node: str
    name: str
    id: str
    restarts: int
    address: str
    ready: bool


class ContainerDisruption(WorkloadDisruption):
    """What is done to the container that plays the role, in one replica."""

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workload: Workload,
        machine_control: MachineControl,
        *,
        ordinal: int = 0,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(kind, kubernetes, recorder, workload, ordinal=ordinal, timeout_s=timeout_s)
        self.machine_control = machine_control
        self._container: Container | None = None

    def about(self) -> Mapping[str, Any]:
        self._container = container = self.read()
        return {
            "replica": self.victim.replica,
            "pod": self.victim.pod,
            "node": container.node,
            "restarts": container.restarts,
        }

    @property
    def container(self) -> Container:
        """As it was before. Raises CannotTell when it was not prepared."""
        if self._container is None:
            raise CannotTell(f"{self.name} was not prepared")
        return self._container

    def read(self) -> Container:
        """The container as it is now. Raises CannotTell when the pod tells nothing of it."""
        victim, namespace = self.victim, self.workload.namespace
        read = self.kubernetes.core.read_namespaced_pod
        pod = self.kubernetes.ask(f"read pod {namespace}/{victim.pod}", read, victim.pod, namespace)
        replica = Replica(self.workload, 0, pod)
        for status in pod.status.container_statuses or ():
            if status.name == replica.container.name and status.container_id:
                return Container(
                    node=pod.spec.node_name,
                    name=status.name,
                    id=status.container_id.rpartition("/")[2],
                    restarts=status.restart_count,
                    address=pod.status.pod_ip,
                    ready=status.ready,
                )
        raise CannotTell(f"pod {namespace}/{victim.pod} tells of no running container for its role")
