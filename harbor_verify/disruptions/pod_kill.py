"""A pod is deleted: with the grace that it asks for, or with less."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.replica_watch import ReplicaWatch, lacks_before
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.history.replicas import Pod
from harbor_verify.ledger import Ledger
from harbor_verify.waiting import NotYet, wait_until

T = TypeVar("T")


class PodKill(Disruption):
    """Deletes one replica's pod; its controller makes another, which is the heal.

    Proof: the old UID is gone. Healed: the desired replicas are Ready without the old pod, every Service leads to
    exactly those, and the old pod is gone.

    For an abrupt end give a grace of 1 s: the API keeps the pod until the kubelet has ended it. A grace of 0 is
    refused: the API forgets the pod at once, and the kubelet, which finds it gone, ends the container with all the
    grace of the pod's own specification (Kubernetes 1.30: seen to answer for 12 s more). A missing UID proves nothing.
    """

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        ledger: Ledger,
        *,
        namespace: str,
        selector: str,
        workload: str,
        desired: int,
        asked: Callable[[], int] | None = None,
        ordinal: int = 0,
        grace_period_s: int | None = None,
        timeout_s: float = 120,
        deadline: str = "converge_timeout_s",
    ) -> None:
        """Kill pod number `ordinal` in age order of those that `selector` (component=web) chooses.

        `workload` is what it is called (web); `desired` how many replicas it was asked for, `asked` how many it is
        asked for now (see `ReplicaWatch`). `grace_period_s` None: as the pod says. The proof and the heal get
        `timeout_s` each, beyond the grace period; `deadline` is the setting that this comes from. Raises ValueError for
        a grace of 0.
        """
        if grace_period_s == 0:
            raise ValueError(
                "a pod that is deleted with a grace of 0 s goes on for its whole grace: give 1 s"
            )
        super().__init__(recorder, f"pod-kill {workload}-{ordinal}")
        self.watch = ReplicaWatch(
            kubernetes,
            recorder,
            namespace=namespace,
            selector=selector,
            name=workload,
            desired=desired,
            asked=asked,
        )
        self._kubernetes, self._ledger, self._workload = kubernetes, ledger, workload
        self._victim_name = f"{workload}-{ordinal}"
        self._grace_period_s = grace_period_s
        self._timeout_s, self._deadline = timeout_s, deadline
        self._grace_s = float(grace_period_s or 0)
        self._victim: Pod | None = None

    def prepare(self) -> Mapping[str, Any]:
        self.watch.start()
        if lacked := lacks_before(self.watch.lacks):
            raise CannotTell(
                f"{self._workload} is not all Ready, so nothing is broken on purpose: {'; '.join(lacked)}"
            )
        pods = self.watch.pods()
        self._victim = next((pod for pod in pods if pod.replica == self._victim_name), None)
        if self._victim is None:
            names = ", ".join(pod.replica for pod in pods)
            raise CannotTell(f"there is no {self._victim_name} to kill, only {names}")
        if not self._grace_period_s:
            pod_object = self._kubernetes.ask(
                "read the pod to kill",
                self._kubernetes.core.read_namespaced_pod,
                self._victim.pod,
                self.watch.namespace,
            )
            self._grace_s = pod_object.spec.termination_grace_period_seconds or 0
        return {
            "workload": self._workload,
            "replica": self._victim.replica,
            "pod": self._victim.pod,
            "uid": self._victim.uid,
            "grace_period_s": self._grace_period_s,
        }

    def inject(self) -> None:
        victim = self._require_victim()
        self._ledger.broken("Pod", victim.pod, uid=victim.uid)
        self._kubernetes.ask(
            f"delete pod {self.watch.namespace}/{victim.pod}",
            self._kubernetes.core.delete_namespaced_pod,
            victim.pod,
            self.watch.namespace,
            body=client.V1DeleteOptions(
                grace_period_seconds=self._grace_period_s,
                # Exactly this pod, not a namesake that came since.
                preconditions=client.V1Preconditions(uid=victim.uid),
            ),
        )

    def confirm(self) -> Mapping[str, Any]:
        victim = self._require_victim()
        self._wait(f"without pod {victim.pod}", self._require_gone)
        return {"old_uid": victim.uid}

    def restore(self) -> None:
        if self._victim:
            changes.mend_own(self._ledger, self._kubernetes, self.watch.namespace, "Pod", self._victim.pod)
        self._wait("whole, every replica Ready again", self._require_recovered)

    def release(self) -> None:
        self.watch.stop()

    @property
    def names(self) -> Mapping[str, str]:
        return {pod.uid: pod.replica for pod in self.replicas}

    @property
    def replicas(self) -> list[Pod]:
        """The pods, with the names that they have in the history: now, or, after the block, as they were at its end."""
        return [pod for pod in self.watch.pods() if not pod.deleting]

    def _require_victim(self) -> Pod:
        if self._victim is None:
            raise CannotTell(f"{self.name} was not prepared")
        return self._victim

    def _require_gone(self) -> None:
        victim = self._require_victim()
        if any(pod.uid == victim.uid for pod in self.watch.pods()):
            raise NotYet(f"pod {victim.pod} is still there, with its UID {victim.uid}")

    def _require_recovered(self) -> None:
        victim = self._require_victim()
        lacked = self.watch.lacks(without=victim.uid)
        if any(pod.uid == victim.uid for pod in self.watch.pods()):
            lacked.append(f"pod {victim.pod}, which was deleted, is still there")
        if lacked:
            raise NotYet("; ".join(lacked))

    def _wait(self, what: str, probe: Callable[[], T]) -> T:
        return wait_until(
            f"{self._workload} is {what}",
            probe,
            deadline=self._deadline,
            timeout_s=self._timeout_s + self._grace_s,
            interval_s=0.1,
        )
