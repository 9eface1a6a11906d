"""A node is drained, as each upgrade of a cluster does it: cordoned, and Harbor's pods on it are evicted."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.ledger import Ledger
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

_NOT_NOW = 429


class NodeDrain(NodeDisruption):
    """Proof: the node is cordoned, by the API. Healed: it takes pods again, and all is whole."""

    expected_response = "every pod on the node may be evicted, and is gone"

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        ledger: Ledger,
        node: str,
        *,
        timeout_s: float = 120,
    ) -> None:
        super().__init__("node-drain", kubernetes, recorder, workloads, node, timeout_s=timeout_s)
        self._ledger = ledger

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._victims = self.pods_there()
        if not self._victims:
            raise CannotTell(
                f"no pod of Harbor's is on node {self.node} any more: to drain it would show nothing"
            )
        return {**about, "pods": sorted(self._victims.values())}

    def inject(self) -> None:
        changes.cordon(self._ledger, self.kubernetes, self.node, sorted(self._victims.values()))

    def confirm(self) -> Mapping[str, Any]:
        def cordoned() -> int:
            only = f"metadata.name={self.node}"
            listed = self.kubernetes.ask(
                f"list node {self.node}", self.kubernetes.core.list_node, field_selector=only
            )
            if not listed.items:
                raise NotYet("the node is not there any more")
            if not all(node.spec.unschedulable for node in listed.items):
                raise NotYet("the node still takes pods")
            return len(self._victims)

        return {"pods_to_evict": self.wait("the node is cordoned", cordoned)}

    def respond(self) -> Mapping[str, Any]:
        for uid, name in self._victims.items():
            self.wait(f"{name} may be evicted", partial(self._evict, name, uid), more_s=60)

        def empty() -> int:
            if left := self.pods_there().keys() & self._victims.keys():
                raise NotYet(f"still there: {', '.join(self._victims[uid] for uid in left)}")
            return len(self._victims)

        return {"evicted": self.wait("its pods are gone", empty, more_s=60)}

    def restore(self) -> None:
        namespace = self.workloads[0].namespace
        changes.mend_own(self._ledger, self.kubernetes, namespace, "Node", self.node)
        super().restore()

    def _evict(self, name: str, uid: str) -> None:
        """Ask for it to be evicted; raises NotYet while a PodDisruptionBudget says no."""
        namespace = self.workloads[0].namespace
        eviction = client.V1Eviction(
            metadata=client.V1ObjectMeta(name=name, namespace=namespace),
            delete_options=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid)),
        )
        with self.kubernetes.asking(f"evict pod {namespace}/{name}"):
            try:
                self.kubernetes.core.create_namespaced_pod_eviction(name, namespace, eviction)
            except client.ApiException as refusal:
                if refusal.status == _NOT_NOW:
                    raise NotYet("a PodDisruptionBudget does not allow it yet") from refusal
                if refusal.status != 404:
                    raise
