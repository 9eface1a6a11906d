"""The network of one replica is bad for a while; in which way, each kind says."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.waiting import NotYet


class BadNetwork(ContainerDisruption):
    """Proof: packets were impaired, and it lasted for `lasts_s` seconds. Healed: none is any more, and the workload is
    whole.

    To show that nobody goes round that replica it has to last longer than clients may go without answers.
    """

    impaired: str
    """What became of packets, as the evidence names it."""

    def __init__(self, *where: Any, lasts_s: float, **more: Any) -> None:
        """But for how long it lasts, as any other of a container."""
        super().__init__(*where, **more)
        self.lasting = Lasting(lasts_s)

    def confirm(self) -> Mapping[str, Any]:
        def impaired() -> int:
            self.lasting.require_over()
            if not (packets := self.machine_control.impairment(self.container.node, self.container.address)):
                raise NotYet(f"no packets were {self.impaired}")
            return packets

        what = f"seen to have packets {self.impaired}"
        return {f"{self.impaired}_packets": self.wait(what, impaired, more_s=self.lasting.lasts_s)}

    def restore(self) -> None:
        self.machine_control.free_network(self.container.node, self.container.address)
        super().restore()
