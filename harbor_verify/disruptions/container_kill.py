"""A program dies where it is: SIGKILL to a container, whose pod stays."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.waiting import NotYet


class ContainerKill(ContainerDisruption):
    """Proof: the kubelet counts one restart more. Healed: the workload is whole again."""

    def inject(self) -> None:
        self.machine_control.kill_container(self.container.node, self.container.id)

    def confirm(self) -> Mapping[str, Any]:
        def restarted() -> int:
            now = self.read()
            if now.restarts <= self.container.restarts or now.id == self.container.id:
                raise NotYet(f"its container {now.id[:12]} has {now.restarts} restarts")
            return now.restarts

        return {"restarts": self.wait("seen to restart its container", restarted)}
