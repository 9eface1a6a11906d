"""Every pod of a workload is replaced, as an upgrade or a changed setting does it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

from kubernetes import client

from harbor_verify.disruptions.workload import WorkloadDisruption
from harbor_verify.waiting import NotYet

_ANNOTATION = "harbor-verify/restarted-at"


class RollingRestart(WorkloadDisruption):
    """A Deployment rolls by itself; of a ReplicationController, which does not, the pods are deleted one after the
    other, each when the workload is whole again.

    Proof: the first pod has a new UID, or is on its way out. Healed: the workload is whole.
    """

    expected_response = "every pod is replaced"

    def inject(self) -> None:
        if self.workload.kind == "ReplicationController":
            self._delete(self.before[0].pod, self.before[0].uid)
            return
        patch = {
            "spec": {"template": {"metadata": {"annotations": {_ANNOTATION: datetime.now(UTC).isoformat()}}}}
        }
        apps = self.kubernetes.apps
        change = {
            "Deployment": apps.patch_namespaced_deployment,
            "StatefulSet": apps.patch_namespaced_stateful_set,
        }[self.workload.kind]
        self.kubernetes.ask(
            f"restart {self.workload.object}", change, self.workload.name, self.workload.namespace, patch
        )

    def confirm(self) -> Mapping[str, Any]:
        old = {pod.uid for pod in self.before}

        def begun() -> list[str]:
            pods = self.watch.pods()
            touched = {pod.uid for pod in pods if pod.uid not in old or pod.deleting}
            touched |= old - {pod.uid for pod in pods}
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
        old = {pod.uid for pod in self.before}

        def replaced() -> list[str]:
            left = [pod.pod for pod in self.watch.pods() if pod.uid in old]
            if left:
                raise NotYet(f"still there: {', '.join(left)}")
            return sorted(pod.uid for pod in self.watch.pods())

        return {"new_uids": self.wait("replaced pod by pod", replaced, more_s=120)}

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
