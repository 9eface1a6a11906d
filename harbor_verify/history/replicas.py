"""One workload's pods and endpoints, replayed from events: the same arithmetic while it happens and afterwards.

Events of a watched workload (`subject`: web; each `value` of a pod has uid, pod and replica):
    watch-started       {"desired": 3, "services": ["web"]}; what is there is told next, as if it had just come
    desired-changed     {"desired": 2}: fewer are asked for from now on, by an autoscaler or whoever else
    pod-created, pod-ready, pod-not-ready, pod-deleting (it has a deletion time), pod-deleted (it is gone)
    endpoint-added, endpoint-removed     {"service", "uid", "replica"}: ready, by an EndpointSlice
    watch-lost, watch-resumed            in between nothing was seen: what comes later may have come earlier
    watch-stopped                        what comes later is not told
"""

from dataclasses import dataclass, field

from harbor_verify.history.model import Event


@dataclass
class Pod:
    """A pod, by the ordinal name that it has in this history (web-0), whatever became of others meanwhile."""

    uid: str
    pod: str
    replica: str
    ready: bool = False
    deleting: bool = False

    def __str__(self) -> str:
        state = "being deleted" if self.deleting else "Ready" if self.ready else "not Ready"
        return f"{self.pod} ({self.replica}): {state}"


@dataclass
class Replicas:
    """State of a workload after the events that were applied."""

    desired: int = 0
    scaled_from: int | None = None
    """How many were asked for at the beginning, where it is fewer now."""
    pods: dict[str, Pod] = field(default_factory=dict)
    endpoints: dict[str, set[str]] = field(default_factory=dict)
    """UIDs of ready endpoints, by Service."""

    def apply(self, event: Event) -> None:
        """Take one event in; those of other names change nothing."""
        value = event.value
        match event.name:
            case "watch-started":
                self.desired, self.scaled_from = value["desired"], None
                self.pods = {}
                self.endpoints = {service: set() for service in value["services"]}
            case "desired-changed":
                self.desired, self.scaled_from = value["desired"], self.scaled_from or self.desired
            case "pod-created":
                self.pods[value["uid"]] = Pod(value["uid"], value["pod"], value["replica"])
            case "pod-deleted":
                self.pods.pop(value["uid"], None)
            case "pod-ready" | "pod-not-ready" if pod := self.pods.get(value["uid"]):
                pod.ready = event.name == "pod-ready"
            case "pod-deleting" if pod := self.pods.get(value["uid"]):
                pod.deleting = True
            case "endpoint-added":
                self.endpoints.setdefault(value["service"], set()).add(value["uid"])
            case "endpoint-removed":
                self.endpoints.get(value["service"], set()).discard(value["uid"])

    @property
    def serving(self) -> dict[str, Pod]:
        """Pods that are Ready and not being deleted, by UID."""
        return {uid: pod for uid, pod in self.pods.items() if pod.ready and not pod.deleting}

    def lacks(self, *, without: str | None = None) -> list[str]:
        """What is missing until the desired replicas are Ready and every Service leads to just these; [] when whole.

        The pod with the UID `without` does not count: it is on its way out, even if nobody said so yet.
        """
        serving = {uid: pod for uid, pod in self.serving.items() if uid != without}
        missing = []
        if len(serving) < self.desired:
            states = ", ".join(str(pod) for pod in self.pods.values()) or "no pod"
            scaled = f", of {self.scaled_from} at the beginning" if self.scaled_from else ""
            missing.append(f"{len(serving)} of {self.desired} replicas Ready{scaled} ({states})")
        for service, uids in self.endpoints.items():
            absent = [pod.replica for uid, pod in serving.items() if uid not in uids]
            # One more than is asked for is an autoscaler's, and its Service follows in a moment.
            if absent and len(serving) - len(absent) < self.desired:
                missing.append(f"Service {service} does not lead to {', '.join(sorted(absent))}")
            if stale := uids - set(serving):
                names = sorted(
                    self.pods[uid].replica if uid in self.pods else "a pod that is gone" for uid in stale
                )
                missing.append(f"Service {service} still leads to {', '.join(names)}")
        return missing
