"""What disruptions of one workload have in common: it is watched, must be whole before, and is whole again after."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.replica_watch import ReplicaWatch, lacks_before
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.history.replicas import Pod
from harbor_verify.ledger import Ledger
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet, wait_until

T = TypeVar("T")


class WorkloadDisruption(Disruption):
    """Subclasses say what is done to it (`inject`), and how it shows (`confirm`).

    Healed: the desired replicas are Ready, and every Service leads to exactly those.
    """

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workload: Workload,
        *,
        ordinal: int | None = None,
        timeout_s: float = 120,
    ) -> None:
        """`kind` is what is done: pause; to replica `ordinal` in age order, or to all (None)."""
        self.workload = workload
        self.target = workload.short_name if ordinal is None else f"{workload.short_name}-{ordinal}"
        super().__init__(recorder, f"{kind} {self.target}")
        self.kubernetes, self._ordinal, self._timeout_s = kubernetes, ordinal, timeout_s
        self.watch = ReplicaWatch(
            kubernetes,
            recorder,
            namespace=workload.namespace,
            selector=workload.label_selector,
            name=workload.short_name,
            desired=workload.desired,
            asked=partial(changes.asked_for, kubernetes, workload),
        )
        self.before: list[Pod] = []
        """The pods as they were, but for those that were on their way out, or had ended and were not cleared away."""
        self.known: frozenset[str] = frozenset()
        """The UIDs of all that were there."""

    def prepare(self) -> Mapping[str, Any]:
        self.watch.start()
        if lacked := lacks_before(self.watch.lacks):
            raise CannotTell(
                f"{self.workload.short_name} is not all Ready, so nothing is broken on purpose: {'; '.join(lacked)}"
            )
        pods = self.watch.pods()
        self.before = [pod for pod in pods if not pod.deleting]
        self.known = frozenset(pod.uid for pod in pods)
        return {"workload": self.workload.short_name, **self.about()}

    def about(self) -> Mapping[str, Any]:
        """What else the inject event tells."""
        return {}

    def restore(self) -> None:
        self.wait("whole, every replica Ready again", self.require_whole)

    def release(self) -> None:
        self.watch.stop()

    @property
    def names(self) -> dict[str, str]:
        return {pod.uid: pod.replica for pod in self.watch.pods() if not pod.deleting}

    @property
    def victim(self) -> Pod:
        """The replica that it is done to, as it was. Raises CannotTell when there is none of that number."""
        for pod in self.before:
            if pod.replica == self.target:
                return pod
        raise CannotTell(f"there is no {self.target}, only {', '.join(pod.replica for pod in self.before)}")

    def await_gone(self, pods: Collection[Pod], *, what: str, more_s: float) -> None:
        """Wait until none of them is there any more; `what` as in `wait`. Raises DeadlinePassed."""
        uids = {pod.uid for pod in pods}

        def gone() -> None:
            if left := [pod.pod for pod in self.watch.pods() if pod.uid in uids]:
                raise NotYet(f"still there: {', '.join(left)}")

        self.wait(what, gone, more_s=more_s)

    def require_whole(self, *, without: str = "") -> None:
        """Raises NotYet with what is missing."""
        if lacked := self.watch.lacks(without=without):
            raise NotYet("; ".join(lacked))

    def wait(self, what: str, probe: Callable[[], T], *, more_s: float = 0) -> T:
        """Wait until the probe comes true; `what` ends the sentence "web is …". Raises DeadlinePassed."""
        return wait_until(
            f"{self.workload.short_name} is {what}",
            probe,
            deadline="converge_timeout_s",
            timeout_s=self._timeout_s + more_s,
            interval_s=0.1,
        )


class LedgeredDisruption(WorkloadDisruption):
    """One that changes the workload itself, as the ledger says. Healed: it is as before, too."""

    def __init__(
        self,
        kind: str,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workload: Workload,
        ledger: Ledger,
        *,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(kind, kubernetes, recorder, workload, timeout_s=timeout_s)
        self.ledger = ledger

    def restore(self) -> None:
        workload = self.workload
        changes.mend_own(self.ledger, self.kubernetes, workload.namespace, workload.kind, workload.name)
        self.await_mended()
        super().restore()

    def await_mended(self) -> None:
        """Wait, bounded, until its controller has taken up what was undone. Raises DeadlinePassed."""
