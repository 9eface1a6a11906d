"""The cluster's DNS is gone: whatever a pod asks it vanishes, and nothing refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

LASTS_S = 30.0


class DnsLoss(ClusterDisruption):
    """Proof: on every node the kernel has dropped questions of its pods, to the end. Healed: none is dropped any more,
    and every workload is whole.
    """

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        *,
        lasts_s: float = LASTS_S,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(
            "dns-loss",
            kubernetes,
            recorder,
            workloads,
            machine_control,
            lasts_s=lasts_s,
            timeout_s=timeout_s,
        )

    def inject(self) -> None:
        self.begin()
        self.machine_control.lose_names()

    def confirm(self) -> Mapping[str, Any]:
        def lost() -> dict[str, int]:
            self.require_over()
            dropped = dict(self.machine_control.lost_questions())
            if whole := sorted(node for node, packets in dropped.items() if not packets):
                raise NotYet(f"no question was dropped on {', '.join(whole)}")
            return dropped

        return {"dropped_questions": self.wait("names are seen to be gone", lost, more_s=self.lasts_s)}

    def restore(self) -> None:
        self.machine_control.give_names()
        super().restore()
