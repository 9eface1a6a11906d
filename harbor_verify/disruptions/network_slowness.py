"""The way to and from one replica becomes slow."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.bad_network import BadNetwork

KBIT_PER_S = 256


class NetworkSlowness(BadNetwork):
    """Packets are held back."""

    impaired = "held"

    def about(self) -> Mapping[str, Any]:
        return {**super().about(), "kbit_per_s": KBIT_PER_S}

    def inject(self) -> None:
        self.machine_control.slow_down(self.container.node, self.container.address, KBIT_PER_S)
