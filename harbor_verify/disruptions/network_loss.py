"""Packets to and from one replica get lost."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.bad_network import BadNetwork

PERCENT = 10


class NetworkLoss(BadNetwork):
    """Some of the packets are dropped."""

    impaired = "dropped"

    def about(self) -> Mapping[str, Any]:
        return {**super().about(), "percent": PERCENT}

    def inject(self) -> None:
        self.machine_control.lose_packets(self.container.node, self.container.address, PERCENT)
