"""A pod dies at once while a node is being drained: two at a time, as it happens in an upgrade of a cluster."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.node_drain import NodeDrain
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.ledger import Ledger
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet

_AT_ONCE_S = 1
"""With a grace of 0 the API forgets the pod at once, and the kubelet gives it all that it asks for."""


class NodeDrainKill(NodeDrain):
    """Proof: the node is cordoned, and the UID of the pod, which is on another node, is gone. Healed: as a drain."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workloads: Iterable[Workload],
        ledger: Ledger,
        node: str,
        pod: str,
        *,
        timeout_s: float = 120,
    ) -> None:
        """`pod` is the name of the one that dies."""
        super().__init__(kubernetes, recorder, workloads, ledger, node, timeout_s=timeout_s)
        self.name = f"{self.name} and kill"
        self._pod, self._uid = pod, ""

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._uid = next((uid for uid, name in self.pods_on(None).items() if name == self._pod), "")
        if not self._uid:
            raise CannotTell(f"pod {self._pod}, which was to be killed, is not there any more")
        return {**about, "killed_pod": self._pod}

    def confirm(self) -> Mapping[str, Any]:
        cordoned = super().confirm()
        # In the middle of the drain: the first pods are on their way when it dies.
        for uid, name in list(self._victims.items())[:2]:
            self._evict_if_allowed(name, uid)
        self._kill()

        def gone() -> str:
            if self._uid in self.pods_on(None):
                raise NotYet(f"pod {self._pod} is still there")
            return self._uid

        return {**cordoned, "killed_uid": self.wait("the killed pod is gone", gone)}

    def restore(self) -> None:
        changes.mend_own(self._ledger, self.kubernetes, self.workloads[0].namespace, "Pod", self._pod)
        super().restore()

    def _evict_if_allowed(self, name: str, uid: str) -> None:
        try:
            self._evict(name, uid)
        except NotYet:
            return  # the drain itself asks again

    def _kill(self) -> None:
        namespace = self.workloads[0].namespace
        self._ledger.broken("Pod", self._pod, uid=self._uid)
        self.kubernetes.ask(
            f"delete pod {namespace}/{self._pod}",
            self.kubernetes.core.delete_namespaced_pod,
            self._pod,
            namespace,
            body=client.V1DeleteOptions(
                grace_period_seconds=_AT_ONCE_S, preconditions=client.V1Preconditions(uid=self._uid)
            ),
        )
