"""A node has no memory left for its pods: what they ask for the kernel takes from their caches first, programs that
have to be read again among them, and where nothing is left to take it kills one.
"""

import time
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
_MANY = 20
_FELT_WITHIN_S = 2.0
"""What the pods do in so long needs more than there is, or too much was left to them."""


class NodeMemoryPressure(NodeDisruption):
    """Proof: the node's pods have asked for more than there was, again and again. Healed: there is enough again, and
    every workload is whole.
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
        super().__init__("node-memory-pressure", kubernetes, recorder, workloads, node, timeout_s=timeout_s)
        self._machine_control, self.lasting = machine_control, Lasting(lasts_s)
        self._refused_before = 0
        self._taken_s = 0.0

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._refused_before = self._machine_control.refused_memory(self.node)
        return {**about, "pods": sorted(self.pods_there().values())}

    def inject(self) -> None:
        self._take()

    def _take(self) -> None:
        self._taken_s = time.monotonic()
        self._machine_control.exhaust_memory(self.node)

    def confirm(self) -> Mapping[str, Any]:
        def refused() -> int:
            times = self._machine_control.refused_memory(self.node) - self._refused_before
            if times < _MANY:
                if time.monotonic() - self._taken_s > _FELT_WITHIN_S:
                    # Of what they read from files a part was left to them, and is enough: of that again a part.
                    self._take()
                raise NotYet(f"its pods asked for more than there was {times} times")
            self.lasting.require_over()
            return times

        return {"refused": self.wait("its pods get no more memory", refused, more_s=self.lasting.lasts_s)}

    def restore(self) -> None:
        self._machine_control.give_memory(self.node)
        super().restore()
