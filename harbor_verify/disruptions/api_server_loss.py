"""The API server is gone: every connection to it is cut, and every new one refused, as while it is restarted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harbor_verify.disruptions.cluster import ClusterDisruption
from harbor_verify.errors import TargetUnreachable
from harbor_verify.model.workloads import is_ready
from harbor_verify.waiting import NotYet

_OF_NODES = "kube-node-lease"


class ApiServerLoss(ClusterDisruption):
    """Proof: the kernel of its machine has refused packets to its port. Healed: it answers, every node has reported
    since (until then what it says of pods is of before, and it may yet take them for lost), and every workload is
    whole.
    """

    kind = "api-server-loss"
    usual_s = 6.0
    """A node's Lease and this run's own may go without being renewed for longer, though a kubelet that cannot renew one
    tries again after 0.2 s, then after twice as long each time: it may come back after twice as long as this.
    """

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._reported = self._reports()
        return about

    def inject(self) -> None:
        self.machine_control.refuse_api()

    def confirm(self) -> Mapping[str, Any]:
        def refused() -> int:
            self.lasting.require_over()
            if not (packets := self.machine_control.refused_api_packets()):
                raise NotYet("no packet to it was refused")
            return packets

        seen = self.wait("it is seen to be gone", refused, more_s=self.lasting.lasts_s)
        return {"refused_packets": seen}

    def restore(self) -> None:
        self.machine_control.admit_api()
        self.wait("every node reports again", self._require_reports)
        super().restore()

    def _require_reports(self) -> None:
        try:
            now = self._reports()
        except TargetUnreachable as silent:
            raise NotYet(str(silent)) from silent
        if silent_nodes := sorted(node for node, at in now.items() if at == self._reported.get(node)):
            raise NotYet(f"nothing was heard of {', '.join(silent_nodes)} since")

    def _reports(self) -> dict[str, datetime]:
        """When each Ready node has renewed its Lease. Raises TargetUnreachable, RightMissing."""
        kubernetes = self.kubernetes
        nodes = kubernetes.ask("list the nodes", kubernetes.core.list_node).items
        leases = kubernetes.ask(
            "list the Leases of nodes", kubernetes.coordination.list_namespaced_lease, _OF_NODES
        ).items
        ready = {node.metadata.name for node in nodes if is_ready(node)}
        return {each.metadata.name: each.spec.renew_time for each in leases if each.metadata.name in ready}
