"""What disruptions of something that all of the cluster stands on have in common: it lasts for a while."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet


class ClusterDisruption(NodeDisruption):
    """Every workload is watched. Healed: it is there again, and all are whole."""

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        *,
        lasts_s: float,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(kind, kubernetes, recorder, workloads, "", timeout_s=timeout_s)
        self.name = kind
        self.machine_control, self.lasts_s = machine_control, lasts_s
        self._began_s = 0.0

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        return {"workloads": about["workloads"], "lasts_s": self.lasts_s}

    def begin(self) -> None:
        """From now on it lasts."""
        self._began_s = time.monotonic()

    def require_over(self) -> None:
        """Raises NotYet until it has lasted for as long as it is to."""
        lasted_s = time.monotonic() - self._began_s
        if lasted_s < self.lasts_s:
            raise NotYet(f"it has lasted for {lasted_s:.0f} s of {self.lasts_s:g}")
