"""The volume that images are on is full: whoever writes to it is refused, and reads as ever."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet


class VolumeFull(ClusterDisruption):
    """Proof: on every node that has it mounted the kernel refuses to write a byte, to the end. Healed: there is room
    again, and every workload is whole.
    """

    kind = "volume-full"
    usual_s = 20.0

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        volume: str,
        *,
        lasts_s: float | None = None,
        timeout_s: float = 120,
    ) -> None:
        """`volume` is the PersistentVolume's name."""
        super().__init__(
            kubernetes, recorder, workloads, machine_control, lasts_s=lasts_s, timeout_s=timeout_s
        )
        self._volume = volume

    def prepare(self) -> Mapping[str, Any]:
        return {**super().prepare(), "volume": self._volume}

    def inject(self) -> None:
        self.machine_control.fill_volume(self._volume)

    def confirm(self) -> Mapping[str, Any]:
        def refused() -> list[str]:
            self.lasting.require_over()
            refuses = self.machine_control.full_on(self._volume)
            if room := sorted(node for node, full in refuses.items() if not full):
                raise NotYet(f"there is room on {', '.join(room)}")
            if not refuses:
                raise NotYet("no node has it mounted")
            return sorted(refuses)

        return {"full_on": self.wait("its volume is full", refused, more_s=self.lasting.lasts_s)}

    def restore(self) -> None:
        self.machine_control.make_room(self._volume)
        super().restore()
