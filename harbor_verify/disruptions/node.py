"""What disruptions of a node have in common."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.whole_harbor import WholeHarborDisruption
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload


class NodeDisruption(WholeHarborDisruption):
    """Done to one node with all of Harbor's pods on it."""

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        node: str,
        *,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(f"{kind} {node}", kubernetes, recorder, workloads, timeout_s=timeout_s)
        self.node = node

    def prepare(self) -> Mapping[str, Any]:
        return {**super().prepare(), "node": self.node}

    def pods_there(self) -> dict[str, str]:
        """Harbor's pods on the node: names by UID."""
        return self.pods_on({self.node})
