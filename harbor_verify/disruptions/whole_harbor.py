"""What disruptions of more than one workload have in common: every workload is watched, and whole before and after."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.replica_watch import ReplicaWatch, lacks_before
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet, wait_until

T = TypeVar("T")


class WholeHarborDisruption(Disruption):
    """Done to something that all of Harbor stands on. Healed: every replica is Ready again."""

    def __init__(
        self,
        name: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        *,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(recorder, name)
        self.kubernetes, self.timeout_s = kubernetes, timeout_s
        self.workloads = tuple(workloads)
        self.watches = {
            workload.short_name: ReplicaWatch(
                kubernetes,
                recorder,
                namespace=workload.namespace,
                selector=workload.label_selector,
                name=workload.short_name,
                desired=workload.desired,
                asked=partial(changes.asked_for, kubernetes, workload),
            )
            for workload in self.workloads
        }

    def prepare(self) -> Mapping[str, Any]:
        for watch in self.watches.values():
            watch.start()
        if lacked := lacks_before(self._lacks):
            raise CannotTell(f"Harbor is not all Ready, so nothing is broken on purpose: {'; '.join(lacked)}")
        return {"workloads": sorted(self.watches)}

    def pods_on(self, nodes: Collection[str] | None) -> dict[str, str]:
        """Harbor's pods on these nodes (None: on any): names by UID."""
        names_by_uid: dict[str, str] = {}
        for workload in self.workloads:
            listed = self.kubernetes.ask(
                f"list the pods of {workload.object}",
                self.kubernetes.core.list_namespaced_pod,
                workload.namespace,
                label_selector=workload.label_selector,
            )
            names_by_uid |= {
                p.metadata.uid: p.metadata.name
                for p in listed.items
                if nodes is None or p.spec.node_name in nodes
            }
        return names_by_uid

    def restore(self) -> None:
        self.wait("every replica is Ready again", self._require_whole)

    def release(self) -> None:
        for watch in self.watches.values():
            watch.stop()

    @property
    def names(self) -> dict[str, str]:
        return {
            pod.uid: pod.replica
            for watch in self.watches.values()
            for pod in watch.pods()
            if not pod.deleting
        }

    def wait(self, what: str, probe: Callable[[], T], *, more_s: float = 0) -> T:
        """Wait until the probe comes true. Raises DeadlinePassed."""
        return wait_until(
            f"after {self.name} {what}",
            probe,
            deadline="converge_timeout_s",
            timeout_s=self.timeout_s + more_s,
            interval_s=0.2,
        )

    def _lacks(self) -> list[str]:
        return [lack for watch in self.watches.values() for lack in watch.lacks()]

    def _require_whole(self) -> None:
        if lacked := self._lacks():
            raise NotYet("; ".join(lacked))
