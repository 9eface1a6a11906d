"""The network of one replica is bad for a while; in which way, each kind says."""

import time
from collections.abc import Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet


class BadNetwork(ContainerDisruption):
    """Proof: packets were impaired, and it lasted for `lasts_s` seconds. Healed: none is any more, and the workload is
    whole.

    To show that nobody goes round that replica it has to last longer than clients may go without answers.
    """

    impaired: str
    """What became of packets, as the evidence names it."""

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workload: Workload,
        machine_control: MachineControl,
        *,
        lasts_s: float,
        ordinal: int = 0,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(
            kind,
            kubernetes,
            recorder,
            workload,
            machine_control,
            ordinal=ordinal,
            timeout_s=lasts_s + timeout_s,
        )
        self.lasts_s, self._began_s = lasts_s, 0.0

    def inject(self) -> None:
        self._began_s = time.monotonic()
        self.impair()

    def impair(self) -> None:
        """Make it bad. Raises MachineControlFailed."""
        raise NotImplementedError

    def confirm(self) -> Mapping[str, Any]:
        def lasted() -> int:
            packets = self.machine_control.impairment(self.container.node, self.container.address)
            if not packets or time.monotonic() - self._began_s < self.lasts_s:
                raise NotYet(f"{packets} packets were {self.impaired}")
            return packets

        return {f"{self.impaired}_packets": self.wait(f"seen to have packets {self.impaired}", lasted)}

    def restore(self) -> None:
        self.machine_control.free_network(self.container.node, self.container.address)
        super().restore()
