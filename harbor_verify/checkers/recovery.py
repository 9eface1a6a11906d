"""How long a workload takes to be whole again."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import Event, History
from harbor_verify.history.replicas import Replicas
from harbor_verify.verdict import Offender


def recovery(history: History, *, budget_ms: float) -> Judgement:
    """After each disruption of a workload (`value["workload"]` of its inject) the desired replicas are Ready, and
    every Service leads to exactly those, within `budget_ms` milliseconds of the injection.

    Measured by the events of the watch, to the last moment at which it became whole and then stayed so, until the
    workload's next disruption, or nobody watched it any more. The pod that was disrupted (`value["uid"]`), where
    it is named, never counts as Ready.

    False: it took longer, or is not whole at the end and the budget has passed.
    Unknown: no such disruption; the workload was not whole before; not whole at the end, and the budget has not
    passed; too long, but the watch was lost meanwhile, so that events came late.
    """
    offenders, unknowns, evidence = [], [], {}
    injects = [
        disruption.inject for disruption in history.disruptions() if "workload" in disruption.inject.value
    ]
    for inject in injects:
        workload = inject.value["workload"]
        events = [event for event in history.events if event.subject == workload]
        before = [event for event in events if event.at_ns <= inject.at_ns]
        until_ns = _until(history, inject)
        since = [event for event in events if inject.at_ns < event.at_ns < until_ns]
        replicas = Replicas()
        for event in before:
            replicas.apply(event)
        if lacked := replicas.lacks():
            unknowns.append(
                f"{inject.subject}: {workload} had not every replica Ready before: {'; '.join(lacked)}"
            )
        elif not replicas.desired:
            unknowns.append(f"{inject.subject}: {workload} was not watched")
        else:
            took = _replay(replicas, inject, since)
            evidence[inject.subject] = took
            recovered_ms = took["recovered_ms"]
            seen_ms = (until_ns - inject.at_ns) / 1e6 if recovered_ms is None else recovered_ms
            state = (
                f"not recovered after {seen_ms:.0f} ms"
                if recovered_ms is None
                else f"recovered after {seen_ms:.0f} ms"
            )
            if lacked := replicas.lacks(without=inject.value.get("uid", "")):
                state += f": {'; '.join(lacked)}"
            if seen_ms > budget_ms and any(event.name == "watch-lost" for event in since):
                unknowns.append(f"{inject.subject}: {workload} {state}, but the watch was lost meanwhile")
            elif seen_ms > budget_ms:
                offenders.append(
                    Offender(
                        workload,
                        f"recovered within {budget_ms:.0f} ms of {inject.subject}",
                        state,
                    )
                )
            elif recovered_ms is None:
                unknowns.append(
                    f"{inject.subject}: {workload} {state}; the history ends before the budget does"
                )
    if not injects:
        unknowns.append("no workload was disrupted")
    times = [took["recovered_ms"] for took in evidence.values() if took["recovered_ms"] is not None]
    return Judgement(
        "recovery",
        tuple(offenders),
        tuple(unknowns),
        measured={"recovery_ms": max(times)} if times else {},
        evidence=evidence,
    )


def _until(history: History, inject: Event) -> int:
    """Until when the events tell about this disruption."""
    workload = inject.value["workload"]
    for event in history.events:
        if event.at_ns <= inject.at_ns:
            continue
        watch_ends = event.subject == workload and event.name in {"watch-started", "watch-stopped"}
        if watch_ends or (event.name == "inject" and event.value.get("workload") == workload):
            return event.at_ns
    return history.end_ns + 1


def _replay(replicas: Replicas, inject: Event, since: list[Event]) -> dict[str, float | None]:
    """Apply the events; ms from the injection to each step, None for what did not come."""
    victim = inject.value.get("uid", "")
    took: dict[str, float | None] = dict.fromkeys(
        ("endpoint_removed_ms", "pod_created_ms", "pod_ready_ms", "pod_deleted_ms", "recovered_ms")
    )
    made: set[str] = set()
    for event in since:
        replicas.apply(event)
        after_ms = round((event.at_ns - inject.at_ns) / 1e6, 3)
        uid: str = event.value.get("uid", "")
        if event.name == "pod-created" and uid != victim:
            made.add(uid)
        step = {
            ("endpoint-removed", True): "endpoint_removed_ms",
            ("pod-deleted", True): "pod_deleted_ms",
            ("pod-created", False): "pod_created_ms",
            ("pod-ready", False): "pod_ready_ms",
        }.get((event.name, uid == victim))
        if step and took[step] is None and (uid == victim or uid in made):
            took[step] = after_ms
        if replicas.lacks(without=victim):
            took["recovered_ms"] = None
        elif took["recovered_ms"] is None:
            took["recovered_ms"] = after_ms
    return took
