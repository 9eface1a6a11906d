"""The cluster's DNS is gone: whatever a pod asks it vanishes, and nothing refuses."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.waiting import NotYet


class DnsLoss(ClusterDisruption):
    """Proof: on every node the kernel has dropped questions of its pods, to the end. Healed: none is dropped any more,
    and every workload is whole.
    """

    kind = "dns-loss"
    usual_s = 30.0

    def inject(self) -> None:
        self.machine_control.lose_names()

    def confirm(self) -> Mapping[str, Any]:
        def lost() -> dict[str, int]:
            self.lasting.require_over()
            dropped = dict(self.machine_control.lost_questions())
            if whole := sorted(node for node, packets in dropped.items() if not packets):
                raise NotYet(f"no question was dropped on {', '.join(whole)}")
            return dropped

        seen = self.wait("names are seen to be gone", lost, more_s=self.lasting.lasts_s)
        return {"dropped_questions": seen}

    def restore(self) -> None:
        self.machine_control.give_names()
        super().restore()
