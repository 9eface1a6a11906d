"""A node is drained, as each upgrade of a cluster does it: cordoned, and Harbor's pods on it are evicted."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from kubernetes import client

from harbor_verify.disruptions import leftovers
from harbor_verify.disruptions.node import NodeDisruption
from harbor_verify.waiting import NotYet

_NOT_NOW = 429


class NodeDrain(NodeDisruption):
    """Proof: none of the pods is left that were on the node. Healed: it takes pods again, and all is whole."""

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._victims = self._pods_there()
        return {**about, "pods": sorted(self._victims.values())}

    def inject(self) -> None:
        leftovers.cordon(self.kubernetes, self.node)
        for uid, name in self._victims.items():
            self.wait(f"{name} may be evicted", partial(self._evict, name, uid), more_s=60)

    def confirm(self) -> Mapping[str, Any]:
        def empty() -> int:
            if left := self._pods_there().keys() & self._victims.keys():
                raise NotYet(f"still there: {', '.join(self._victims[uid] for uid in left)}")
            return len(self._victims)

        return {"evicted": self.wait("its pods are gone", empty, more_s=60)}

    def restore(self) -> None:
        leftovers.uncordon(self.kubernetes, self.node)
        super().restore()

    def _pods_there(self) -> dict[str, str]:
        """Harbor's pods on the node: names by UID."""
        names_by_uid: dict[str, str] = {}
        for workload in self.workloads:
            listed = self.kubernetes.ask(
                f"list the pods of {workload.object}",
                self.kubernetes.core.list_namespaced_pod,
                workload.namespace,
                label_selector=workload.label_selector,
            )
            names_by_uid |= {
                p.metadata.uid: p.metadata.name for p in listed.items if p.spec.node_name == self.node
            }
        return names_by_uid

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
