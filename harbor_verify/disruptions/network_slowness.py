"""The way to and from one replica becomes slow."""

import time
from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.waiting import NotYet

KBIT_PER_S = 256
_LASTS_S = 8.0


class NetworkSlowness(ContainerDisruption):
    """Proof: packets were held back, and it lasted. Healed: none is any more, and the workload is whole."""

    def inject(self) -> None:
        self._began_s = time.monotonic()
        self.machine_control.slow_down(self.container.node, self.container.address, KBIT_PER_S)

    def about(self) -> Mapping[str, Any]:
        return {**super().about(), "kbit_per_s": KBIT_PER_S}

    def confirm(self) -> Mapping[str, Any]:
        def lasted() -> int:
            held = self.machine_control.impairment(self.container.node, self.container.address)
            if not held or time.monotonic() - self._began_s < _LASTS_S:
                raise NotYet(f"{held} packets were held back")
            return held

        return {"held_packets": self.wait("seen to be slow", lasted)}

    def restore(self) -> None:
        self.machine_control.free_network(self.container.node, self.container.address)
        super().restore()
