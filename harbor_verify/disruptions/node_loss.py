"""Nodes are lost: their cables are cut and their kubelets killed; nobody deletes their pods, and nothing refuses a
connection. Several at once are a zone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.errors import DeadlinePassed, MachineControlFailed
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

_NOTICED_S = 120
"""Kubernetes calls a silent node lost after 40 s, unless told otherwise."""


class NodeLoss(NodeDisruption):
    """Proof: the API no longer calls any of the nodes Ready.

    They stay lost until no Service leads to them any more, and for `lasts_s` seconds at least: what was on them alone
    comes back with them. Healed: the nodes are back and Ready, and all is whole.
    """

    expected_response = "no Service leads to the pods on the lost nodes any more"

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        nodes: Sequence[str],
        *,
        lasts_s: float = 0,
        timeout_s: float = 120,
    ) -> None:
        kind = "node-loss" if len(nodes) == 1 else "zone-loss"
        super().__init__(kind, kubernetes, recorder, workloads, "+".join(nodes), timeout_s=timeout_s)
        self._machine_control, self._nodes = machine_control, tuple(nodes)
        self.lasting = Lasting(lasts_s)

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._victims = self.pods_on(self._nodes)
        return {**about, "pods": sorted(self._victims.values())}

    def inject(self) -> None:
        for node in self._nodes:
            self._machine_control.lose_node(node)

    def confirm(self) -> Mapping[str, Any]:
        def lost() -> dict[str, str]:
            conditions = self._ready()
            if left := [node for node, ready in conditions.items() if ready == "True"]:
                raise NotYet(f"Kubernetes still calls {', '.join(left)} Ready")
            return conditions

        return {"ready": self.wait("the nodes are seen to be lost", lost, more_s=_NOTICED_S)}

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
        for node in self._nodes:
            self._machine_control.mend_node(node)

        def back() -> None:
            if away := {node: ready for node, ready in self._ready().items() if ready != "True"}:
                raise NotYet(
                    "; ".join(f"the condition Ready of {node} is {ready}" for node, ready in away.items())
                )

        try:
            self.wait("the nodes are Ready again", back)
        except DeadlinePassed as not_back:
            # That is the cluster's doing, not Harbor's.
            raise MachineControlFailed(str(not_back)) from not_back
        super().restore()

    def _ready(self) -> dict[str, str]:
        """The condition Ready of each node."""
        conditions = {}
        for name in self._nodes:
            node = self.kubernetes.ask(f"read node {name}", self.kubernetes.core.read_node_status, name)
            ready = (c.status for c in node.status.conditions or () if c.type == "Ready")
            conditions[name] = next(ready, "Unknown")
        return conditions
