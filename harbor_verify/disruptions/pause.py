"""A program hangs: SIGSTOP to a container. Its port stays open, connections are taken, and nothing answers."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.errors import CannotTell
from harbor_verify.waiting import NotYet


class Pause(ContainerDisruption):
    """Proof: the kernel calls its process stopped.

    It stays so until Kubernetes notices, and for `lasts_s` seconds at least: who has no other replica goes on with it.
    Healed: its processes go on (those of a container that a liveness probe has replaced are gone), and the workload is
    whole again.
    """

    expected_response = (
        "Kubernetes notices that it hangs: the pod is no longer Ready, or its container restarted"
    )

    def __init__(self, *where: Any, lasts_s: float = 0, **more: Any) -> None:
        """`where` and `more` as for a ContainerDisruption."""
        super().__init__(*where, **more)
        self.lasting = Lasting(lasts_s)

    def inject(self) -> None:
        self.machine_control.pause_container(self.container.node, self.container.id)

    def confirm(self) -> Mapping[str, Any]:
        if not self.machine_control.is_paused(self.container.node, self.container.id):
            raise CannotTell(f"{self.name}: the kernel does not call it stopped")
        return {"state": "T"}

    def respond(self) -> Mapping[str, Any]:
        def noticed() -> str:
            now = self.read()
            if now.restarts > self.container.restarts:
                return "restarted"
            if now.ready:
                raise NotYet("Kubernetes still calls it Ready")
            return "not Ready"

        return {"kubernetes": self.wait("seen to hang", noticed)}

    def restore(self) -> None:
        self.machine_control.resume_container(self.container.node, self.container.id)
        super().restore()
