"""A node has hardly any CPU left for its pods: others on it take it, or its hypervisor does."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

LASTS_S = 20.0
PERCENT = 10
"""Of one processor, for all pods of the node together."""
_MANY = 20


class NodePressure(NodeDisruption):
    """Proof: the kernel has kept the node's pods from running, again and again. Healed: it does not any more, and every
    workload is whole.
    """

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        node: str,
        *,
        lasts_s: float = LASTS_S,
        timeout_s: float = 120,
    ) -> None:
        super().__init__("node-pressure", kubernetes, recorder, workloads, node, timeout_s=timeout_s)
        self._machine_control, self.lasting = machine_control, Lasting(lasts_s)
        self._throttled_before = 0

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._throttled_before = self._machine_control.throttled(self.node)
        return {**about, "pods": sorted(self.pods_there().values()), "percent_of_a_cpu": PERCENT}

    def inject(self) -> None:
        self._machine_control.throttle_node(self.node, PERCENT)

    def confirm(self) -> Mapping[str, Any]:
        def held_back() -> int:
            times = self._machine_control.throttled(self.node) - self._throttled_before
            if times < _MANY:
                raise NotYet(f"its pods were held back {times} times")
            self.lasting.require_over()
            return times

        return {"held_back": self.wait("its pods are held back", held_back, more_s=self.lasting.lasts_s)}

    def restore(self) -> None:
        self._machine_control.release_node(self.node)
        super().restore()
