"""Every pod of a workload is replaced, as an upgrade or a changed setting does it."""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from kubernetes import client

from harbor_verify.disruptions import changes
from harbor_verify.disruptions.workload import LedgeredDisruption
from harbor_verify.waiting import NotYet


class RollingRestart(LedgeredDisruption):
    """A Deployment rolls by itself; of a ReplicationController, which does not, the pods are deleted one after the
    other, each when the workload is whole again.

    Proof: the first pod has a new UID, or is on its way out. Healed: the workload is whole; a Deployment keeps the
    annotation, as after `kubectl rollout restart`, and one that does not come to its end gets back the template that
    it had.
    """

    expected_response = "every pod is replaced"

    def inject(self) -> None:
        if self.workload.kind == "ReplicationController":
            names = [pod.pod for pod in self.before]
            self.ledger.broken(self.workload.kind, self.workload.name, deleted_pods=names)
            self._delete(self.before[0].pod, self.before[0].uid)
            return
        changes.restart(self.ledger, self.kubernetes, self.workload)

    def await_mended(self) -> None:
        if self.workload.kind == "ReplicationController":
            return

        def rolled() -> None:
            state = changes.rollout(self.kubernetes, self.workload)
            if not state.is_complete:
                raise NotYet(
                    f"{state.updated} of {state.desired} pods are of its template {state.stuck}".rstrip()
                )

        self.wait("all of one template", rolled, more_s=120)

    def confirm(self) -> Mapping[str, Any]:
        old = {pod.uid for pod in self.before}

        def begun() -> list[str]:
            pods = self.watch.pods()
            new = {pod.uid for pod in pods} - self.known
            touched = new | (old - {pod.uid for pod in pods if not pod.deleting})
            if not touched:
                raise NotYet("every pod is as it was")
            return sorted(touched)

        return {"touched_uids": self.wait("being restarted", begun)}

    def respond(self) -> Mapping[str, Any]:
        if self.workload.kind == "ReplicationController":
            for pod, following in pairwise(self.before):
                self._wait_without(pod.uid)
                self._delete(following.pod, following.uid)
            self._wait_without(self.before[-1].uid)
        self.await_gone(self.before, what="replaced pod by pod", more_s=120)
        return {"new_uids": sorted(pod.uid for pod in self.watch.pods())}

    def _wait_without(self, uid: str) -> None:
        self.wait(
            "whole, every other replica Ready and its Service leading to it",
            partial(self.require_whole, without=uid),
            more_s=60,
        )

    def _delete(self, name: str, uid: str) -> None:
        self.kubernetes.ask(
            f"delete pod {self.workload.namespace}/{name}",
            self.kubernetes.core.delete_namespaced_pod,
            name,
            self.workload.namespace,
            body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid)),
        )
