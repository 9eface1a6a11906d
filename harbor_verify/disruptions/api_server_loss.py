"""The API server is gone: every connection to it is cut, and every new one refused, as while it is restarted."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

LASTS_S = 10.0
"""Shorter than what a node's Lease and this run's own may go without being renewed."""


class ApiServerLoss(ClusterDisruption):
    """Proof: the kernel of its machine has refused packets to its port. Healed: it answers, and every workload is
    whole.
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
            "api-server-loss",
            kubernetes,
            recorder,
            workloads,
            machine_control,
            lasts_s=lasts_s,
            timeout_s=timeout_s,
        )

    def inject(self) -> None:
        self.begin()
        self.machine_control.refuse_api()

    def confirm(self) -> Mapping[str, Any]:
        def refused() -> int:
            self.require_over()
            if not (packets := self.machine_control.refused_api_packets()):
                raise NotYet("no packet to it was refused")
            return packets

        return {"refused_packets": self.wait("it is seen to be gone", refused, more_s=self.lasts_s)}

    def restore(self) -> None:
        self.machine_control.admit_api()
        super().restore()
