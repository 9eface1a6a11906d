"""The API server is gone: every connection to it is cut, and every new one refused, as while it is restarted."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.waiting import NotYet


class ApiServerLoss(ClusterDisruption):
    """Proof: the kernel of its machine has refused packets to its port. Healed: it answers, and every workload is
    whole.
    """

    kind = "api-server-loss"
    usual_s = 10.0
    """Shorter than what a node's Lease and this run's own may go without being renewed."""

    def inject(self) -> None:
        self.machine_control.refuse_api()

    def confirm(self) -> Mapping[str, Any]:
        def refused() -> int:
            self.lasting.require_over()
            if not (packets := self.machine_control.refused_api_packets()):
                raise NotYet("no packet to it was refused")
            return packets

        seen = self.wait("it is seen to be gone", refused, more_s=self.lasting.lasts_s)
        return {"refused_packets": seen}

    def restore(self) -> None:
        self.machine_control.admit_api()
        super().restore()
