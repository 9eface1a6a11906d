"""What disruptions of something that all of the cluster stands on have in common: it is gone for a while."""

from collections.abc import Iterable

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.whole_harbor import WholeHarborDisruption
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload


class ClusterDisruption(WholeHarborDisruption):
    """Healed: it is there again, and all are whole."""

    kind: str
    usual_s: float
    """How long it lasts where nobody says."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        machine_control: MachineControl,
        *,
        lasts_s: float | None = None,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(self.kind, kubernetes, recorder, workloads, timeout_s=timeout_s)
        self.machine_control = machine_control
        self.lasting = Lasting(self.usual_s if lasts_s is None else lasts_s)
