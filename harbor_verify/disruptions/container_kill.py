"""A program dies where it is: SIGKILL to a container, whose pod stays."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.waiting import NotYet


class ContainerKill(ContainerDisruption):
    """Proof: the kernel has no such process any more. Healed: the workload is whole again."""

    expected_response = "Kubernetes starts the container again"

    def inject(self) -> None:
        self.machine_control.kill_container(self.container.node, self.container.id)

    def confirm(self) -> Mapping[str, Any]:
        def dead() -> str:
            if self.machine_control.is_running(self.container.node, self.container.id):
                raise NotYet(f"the first process of container {self.container.id[:12]} still runs")
            return self.container.id

        return {"container": self.wait("seen to have lost its process", dead)}

    def respond(self) -> Mapping[str, Any]:
        def restarted() -> int:
            now = self.read()
            if now.restarts <= self.container.restarts or now.id == self.container.id:
                raise NotYet(f"its container {now.id[:12]} has {now.restarts} restarts")
            return now.restarts

        return {"restarts": self.wait("seen to restart its container", restarted)}
