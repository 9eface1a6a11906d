"""Packets to and from one replica get lost."""

import time
from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.waiting import NotYet

PERCENT = 10
_LASTS_S = 8.0


class NetworkLoss(ContainerDisruption):
    """Proof: packets were dropped, and it lasted. Healed: none is any more, and the workload is whole."""

    def inject(self) -> None:
        self._began_s = time.monotonic()
        self.machine_control.lose_packets(self.container.node, self.container.address, PERCENT)

    def about(self) -> Mapping[str, Any]:
        return {**super().about(), "percent": PERCENT}

    def confirm(self) -> Mapping[str, Any]:
        def lasted() -> int:
            dropped = self.machine_control.impairment(self.container.node, self.container.address)
            if not dropped or time.monotonic() - self._began_s < _LASTS_S:
                raise NotYet(f"{dropped} packets were dropped")
            return dropped

        return {"dropped_packets": self.wait("seen to lose packets", lasted)}

    def restore(self) -> None:
        self.machine_control.free_network(self.container.node, self.container.address)
        super().restore()
