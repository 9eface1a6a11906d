"""Watches one workload's pods and endpoints, and writes what happens to them into the history, as it happens."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.following import Follower, Object
from harbor_verify.errors import CannotTell, TargetUnreachable
from harbor_verify.history import Recorder
from harbor_verify.history.replicas import Pod, Replicas
from harbor_verify.model.workloads import alive
from harbor_verify.waiting import last_look

SERVICE_LABEL = "kubernetes.io/service-name"
_ASKED_EVERY_S = 1.0
FOLLOWS_S = 5
"""An EndpointSlice follows a pod within a second or so."""


class ReplicaWatch:
    """From `start` to `stop`, the events of harbor_verify/history/replicas.py with the workload's name as `subject`.

    A pod has the name of its ordinal in age at the start (web-0); one that comes later takes over the lowest name
    whose pod is gone or going, so that a name keeps its meaning through the history.
    """

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        *,
        namespace: str,
        selector: str,
        name: str,
        desired: int,
        asked: Callable[[], int] | None = None,
    ) -> None:
        """`selector` chooses the workload's pods (component=web); `name` is what it is called (web).

        `asked` reads how many replicas its controller asks for now: an autoscaler may change it at any time. Raises
        TargetUnreachable, CannotTell. None: it stays at `desired`.
        """
        self.namespace, self.selector, self.name, self.desired = namespace, selector, name, desired
        self._kubernetes, self._recorder = kubernetes, recorder
        self._lock = threading.RLock()
        self._state = Replicas()
        self._names: dict[str, str] = {}
        self._slices: dict[str, tuple[str, set[str]]] = {}
        self._services: set[str] = set()
        self._shared: set[str] = set()
        """Those of the Services that lead to other parts' pods, too."""
        self._asked, self._asked_at_s = asked, -_ASKED_EVERY_S
        self._clients: list[client.ApiClient] = []
        self._followers: list[Follower] = []

    def start(self) -> None:
        """Tell what is there, and begin to watch. Raises TargetUnreachable, CannotTell (no pod)."""
        with self._kubernetes.asking(f"watch pods {self.selector} and their endpoints in {self.namespace}"):
            self._services = self._find_services()
            self._tell("watch-started", desired=self.desired, services=sorted(self._services))
            self._follow(
                "pods",
                client.CoreV1Api,
                "list_namespaced_pod",
                self._all_pods,
                self._pod_changed,
                self.selector,
            )
            self._follow(
                "endpointslices",
                client.DiscoveryV1Api,
                "list_namespaced_endpoint_slice",
                self._all_slices,
                self._slice_changed,
                SERVICE_LABEL,
            )

    def stop(self) -> None:
        """Stop watching; a second call has nothing to do."""
        for follower in self._followers:
            follower.stop()
        for api_client in self._clients:
            api_client.close()
        if self._followers:
            self._tell("watch-stopped")
        self._followers, self._clients = [], []

    def lacks(self, *, without: str = "") -> list[str]:
        """What is missing now until the workload is whole; see `Replicas.lacks`. Raises TargetUnreachable.

        Where replicas are missing and fewer are asked for by now than at the beginning, whole is so many. More than at
        the beginning, or none at all, are not what this is about.
        """
        self._require_watched()
        with self._lock:
            lacked = self._state.lacks(without=without)
            if not lacked or len(self._state.serving) >= self._state.desired:
                return lacked
        now = self._asked_for_now()
        with self._lock:
            if now and now < self._state.desired:
                self._tell("desired-changed", desired=now)
            return self._state.lacks(without=without)

    def _asked_for_now(self) -> int | None:
        """None where nobody knows, or it was read a moment ago."""
        if self._asked is None or time.monotonic() < self._asked_at_s + _ASKED_EVERY_S:
            return None
        self._asked_at_s = time.monotonic()
        with suppress(TargetUnreachable, CannotTell):
            return self._asked()
        return None

    def pods(self) -> list[Pod]:
        """The pods that are there now, as copies, by name. Raises TargetUnreachable when the watch failed."""
        self._require_watched()
        with self._lock:
            pods = [
                Pod(pod.uid, pod.pod, pod.replica, pod.ready, pod.deleting)
                for pod in self._state.pods.values()
            ]
        return sorted(pods, key=lambda pod: (pod.replica, pod.deleting))

    def endpoints(self) -> dict[str, set[str]]:
        """UIDs of the pods that each Service leads to now, by Service. Raises TargetUnreachable."""
        self._require_watched()
        with self._lock:
            return {service: set(uids) for service, uids in self._state.endpoints.items()}

    def _require_watched(self) -> None:
        for follower in self._followers:
            with self._kubernetes.asking(f"watch {follower.what}"):
                follower.require_alive()

    def _find_services(self) -> set[str]:
        """Names of the Services that lead to the workload's pods.

        One that leads to other parts' pods as well (for their metrics) counts only where the workload has no other: as
        `Deployment.services_of` has it, here by the pods that are there.
        """
        core = self._kubernetes.core
        pods = core.list_namespaced_pod(self.namespace, label_selector=self.selector).items
        if not pods:
            raise CannotTell(f"there is no pod {self.selector} in {self.namespace}")
        labels = (pods[0].metadata.labels or {}).items()
        services = core.list_namespaced_service(self.namespace).items
        choosing = {
            s.metadata.name: s.spec.selector
            for s in services
            if s.spec.selector and s.spec.selector.items() <= labels
        }
        shared = {name for name, selector in choosing.items() if self._chooses_others(selector)}
        own = set(choosing) - shared
        self._shared = set() if own else shared
        return own or shared

    def _chooses_others(self, selector: Mapping[str, str]) -> bool:
        """Whether pods are there that a Service chooses, and the workload does not."""
        wanted = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        chosen = alive(
            selector,
            self._kubernetes.core.list_namespaced_pod(self.namespace, label_selector=wanted).items,
        )
        own = alive(dict(each.split("=", 1) for each in self.selector.split(",")), chosen)
        return len(own) < len(chosen)

    def _follow(self, what: str, api: Any, method: str, replace: Any, change: Any, selector: str) -> None:
        api_client = self._kubernetes.api_client()
        self._clients.append(api_client)
        call = partial(getattr(api(api_client), method), self.namespace, label_selector=selector)
        follower = Follower(
            f"{what} {selector} in {self.namespace}",
            call,
            replace=replace,
            change=change,
            lost=lambda lost: self._tell("watch-lost" if lost else "watch-resumed", what=what),
            connect_timeout_s=self._kubernetes.timeouts_s[0],
        )
        self._followers.append(follower)
        follower.begin()

    def _tell(self, name: str, **value: Any) -> None:
        with self._lock:
            self._state.apply(self._recorder.event(self.name, name, value))

    def _tell_of(self, name: str, pod: Pod, **more: Any) -> None:
        self._tell(name, uid=pod.uid, pod=pod.pod, replica=pod.replica, **more)

    def _all_pods(self, items: list[Object]) -> None:
        with self._lock:
            present = {item["metadata"]["uid"] for item in items}
            for pod in [pod for uid, pod in self._state.pods.items() if uid not in present]:
                self._tell_of("pod-deleted", pod)
            for item in sorted(
                items, key=lambda i: (i["metadata"]["creationTimestamp"], i["metadata"]["name"])
            ):
                self._pod_changed("MODIFIED", item)

    def _pod_changed(self, kind: str, item: Object) -> None:
        metadata, status = item["metadata"], item.get("status", {})
        with self._lock:
            pod = self._state.pods.get(metadata["uid"])
            deleting = "deletionTimestamp" in metadata or status.get("phase") in ("Failed", "Succeeded")
            if pod is None:
                if kind == "DELETED":
                    return
                made = Pod(metadata["uid"], metadata["name"], self._free_name(going=deleting))
                self._names[made.uid] = made.replica
                self._tell_of("pod-created", made, node=item["spec"].get("nodeName"))
                pod = self._state.pods[made.uid]
                if self._shared:
                    self._tell_endpoints()
            if deleting and not pod.deleting:
                self._tell_of("pod-deleting", pod)
            ready = any(
                c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()
            )
            if ready is not pod.ready:
                self._tell_of("pod-ready" if ready else "pod-not-ready", pod)
            if kind == "DELETED":
                self._tell_of("pod-deleted", pod)

    def _free_name(self, *, going: bool) -> str:
        taken = {pod.replica for pod in self._state.pods.values() if not pod.deleting}
        if going:
            # What is on its way out when the watch begins takes no name from those that stay.
            return f"{self.name}-leaving"
        number = 0
        while f"{self.name}-{number}" in taken:
            number += 1
        return f"{self.name}-{number}"

    def _all_slices(self, items: list[Object]) -> None:
        with self._lock:
            present = {item["metadata"]["name"] for item in items}
            for name in [name for name in self._slices if name not in present]:
                del self._slices[name]
            for item in items:
                self._keep(item)
            self._tell_endpoints()

    def _slice_changed(self, kind: str, item: Object) -> None:
        with self._lock:
            if kind == "DELETED":
                self._slices.pop(item["metadata"]["name"], None)
            else:
                self._keep(item)
            self._tell_endpoints()

    def _keep(self, item: Object) -> None:
        service = item["metadata"].get("labels", {}).get(SERVICE_LABEL, "")
        if service not in self._services:
            return
        ready = {
            endpoint["targetRef"]["uid"]
            for endpoint in item.get("endpoints") or ()
            if endpoint.get("conditions", {}).get("ready", True) and endpoint.get("targetRef", {}).get("uid")
        }
        self._slices[item["metadata"]["name"]] = (service, ready)

    def _tell_endpoints(self) -> None:
        """A Service's endpoints are those of all its slices; tell what changed."""
        wanted: dict[str, set[str]] = {service: set() for service in self._services}
        for service, uids in self._slices.values():
            # A pod that never was the workload's own is another part's.
            wanted[service] |= uids & set(self._names) if service in self._shared else uids
        for service, uids in wanted.items():
            present = set(self._state.endpoints[service])
            for uid in sorted(present - uids):
                self._tell(
                    "endpoint-removed",
                    service=service,
                    uid=uid,
                    replica=self._names.get(uid, "an unknown pod"),
                )
            for uid in sorted(uids - present):
                self._tell(
                    "endpoint-added", service=service, uid=uid, replica=self._names.get(uid, "an unknown pod")
                )


def lacks_before(lacks: Callable[[], list[str]]) -> list[str]:
    """What `lacks` tells before anything is done: a Service that follows a pod, Ready just now, is given a moment.

    Raises what that does.
    """
    return last_look("whole before", lacks, lambda lacked: not lacked, deadline="fixed", timeout_s=FOLLOWS_S)
