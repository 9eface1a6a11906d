"""A node is lost: its cable is cut and its kubelet killed; nobody deletes its pods, nothing refuses a connection."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.errors import DeadlinePassed, MachineControlFailed
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

_NOTICED_S = 120
"""Kubernetes calls a silent node lost after 40 s, unless told otherwise."""


class NodeLoss(NodeDisruption):
    """Proof: the API no longer calls the node Ready.

    Healed: the node is back and Ready, and all is whole.
    """

    expected_response = "no Service leads to the pods on the lost node any more"

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        node: str,
        *,
        timeout_s: float = 120,
    ) -> None:
        super().__init__("node-loss", kubernetes, recorder, workloads, node, timeout_s=timeout_s)
        self._machine_control = machine_control

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._victims = self.pods_there()
        return {**about, "pods": sorted(self._victims.values())}

    def inject(self) -> None:
        self._machine_control.lose_node(self.node)

    def confirm(self) -> Mapping[str, Any]:
        def lost() -> str:
            ready = self._ready()
            if ready == "True":
                raise NotYet("Kubernetes still calls it Ready")
            return ready

        return {"ready": self.wait("the node is seen to be lost", lost, more_s=_NOTICED_S)}

    def respond(self) -> Mapping[str, Any]:
        def left_alone() -> int:
            led_to = {
                (service, self._victims[uid])
                for watch in self.watches.values()
                for service, uids in watch.endpoints().items()
                for uid in uids & self._victims.keys()
            }
            if led_to:
                raise NotYet(
                    "; ".join(f"Service {service} still leads to {pod}" for service, pod in sorted(led_to))
                )
            return len(self._victims)

        return {"pods": self.wait("its pods get no requests", left_alone)}

    def restore(self) -> None:
        self._machine_control.mend_node(self.node)

        def back() -> None:
            if (ready := self._ready()) != "True":
                raise NotYet(f"its condition Ready is {ready}")

        try:
            self.wait("the node is Ready again", back)
        except DeadlinePassed as not_back:
            # That is the cluster's doing, not Harbor's.
            raise MachineControlFailed(str(not_back)) from not_back
        super().restore()

    def _ready(self) -> str:
        node = self.kubernetes.ask(f"read node {self.node}", self.kubernetes.core.read_node_status, self.node)
        return next((c.status for c in node.status.conditions or () if c.type == "Ready"), "Unknown")
