"""What became of each pod of the watched workloads; events as in harbor_verify/history/replicas.py."""

from dataclasses import dataclass, field

from harbor_verify.history.model import History

STARTING, READY, ENDING = "starting", "ready", "ending"


@dataclass(frozen=True)
class Span:
    """A pod is in one state. Seconds since the history began."""

    state: str
    begin_s: float
    end_s: float


@dataclass
class Pod:
    """A pod that came, went or changed while it was watched."""

    workload: str
    replica: str
    name: str
    victim: bool = False
    """A disruption named it."""
    spans: list[Span] = field(default_factory=list)
    """starting: not Ready. ready. ending: it has a deletion time, and may still answer."""
    endpoint_removed_s: float | None = None
    endpoint_added_s: float | None = None
    ready_s: float | None = None
    """When it became Ready, if that was seen."""
    gone_s: float | None = None


def changed(history: History) -> list[Pod]:
    """The pods to which something happened after the first injection, in the order of their coming."""
    since = history.disrupted_s
    since_s = since[0] if since else 0.0
    victims = {each.inject.value.get("uid") for each in history.disruptions()}
    pods: dict[str, Pod] = {}
    state: dict[str, tuple[str, float]] = {}
    touched: set[str] = set()

    def turn(uid: str, to: str | None, at_s: float) -> None:
        if uid in state:
            was, begin_s = state.pop(uid)
            pods[uid].spans.append(Span(was, begin_s, at_s))
        if to:
            state[uid] = (to, at_s)

    watched_until_s = 0.0
    for event in history.events:
        uid = event.value.get("uid")
        if event.name == "inject" or not uid:
            continue
        watched_until_s = event.at_s
        if event.name == "pod-created" and uid not in pods:
            replica = str(event.value.get("replica", ""))
            pods[uid] = Pod(event.subject, replica, str(event.value.get("pod", "")), uid in victims)
            turn(uid, STARTING, event.at_s)
        if uid not in pods:
            continue
        # What a watch finds at its beginning was there before.
        was_there_before = event.at_s < since_s
        pod, now = pods[uid], state.get(uid, ("", 0.0))[0]
        if event.at_s >= since_s:
            touched.add(uid)
        if event.name == "pod-ready" and now != ENDING:
            if was_there_before:
                state[uid] = (READY, 0.0)
            else:
                pod.ready_s = event.at_s
                turn(uid, READY, event.at_s)
        elif event.name == "pod-not-ready" and now == READY:
            turn(uid, STARTING, event.at_s)
        elif event.name == "pod-deleting":
            turn(uid, ENDING, event.at_s)
        elif event.name == "pod-deleted":
            pod.gone_s = event.at_s
            turn(uid, None, event.at_s)
        elif event.name == "endpoint-removed":
            pod.endpoint_removed_s = event.at_s
        elif event.name == "endpoint-added":
            pod.endpoint_added_s = event.at_s
    last_s = max(watched_until_s, since[1] if since else 0.0)
    for uid in list(state):
        turn(uid, None, last_s)
    return [pod for uid, pod in pods.items() if uid in touched]
