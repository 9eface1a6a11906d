"""A workload is scaled down to one replica, and back."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions import changes
from harbor_verify.disruptions.workload import LedgeredDisruption
from harbor_verify.errors import HarnessError, NotApplicable
from harbor_verify.waiting import NotYet


class ScaleDown(LedgeredDisruption):
    """Proof: one replica is left, and the others are on their way out. It lasts until they are gone: until then they
    serve whoever is still led to them. Healed: it has as many as before, and is whole.

    How many there were stands in the ledger first.
    """

    expected_response = "the other pods end"

    def prepare(self) -> Mapping[str, Any]:
        """Raises NotApplicable for a workload of one replica: there would be nothing to see."""
        if self.workload.desired < 2:
            raise NotApplicable(f"{self.workload.object} has one replica: it cannot be scaled down to one")
        return super().prepare()

    def inject(self) -> None:
        changes.scale(self.ledger, self.kubernetes, self.workload, 1)

    def confirm(self) -> Mapping[str, Any]:
        def alone() -> str:
            left = [pod for pod in self.watch.pods() if not pod.deleting]
            if len(left) != 1:
                raise NotYet(f"there are {len(left)} replicas")
            return left[0].replica

        return {"left": self.wait("scaled down", alone)}

    def await_mended(self) -> None:
        """Raises HarnessError where it stays at one: its mark was taken away, so that it was left as it is."""
        if changes.asked_for(self.kubernetes, self.workload) == 1:
            raise HarnessError(
                f"{self.workload.object} was scaled down to 1 replica, and somebody took away the mark of this run "
                f"meanwhile, so it is left as it is: scale it back to {self.workload.desired}"
            )

    def respond(self) -> Mapping[str, Any]:
        stays = {pod.uid for pod in self.watch.pods() if not pod.deleting}
        others = [pod for pod in self.before if pod.uid not in stays]
        self.await_gone(others, what="rid of the others", more_s=60)
        return {"gone_uids": [pod.uid for pod in others]}
