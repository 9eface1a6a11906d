"""What answers a fault while it lasts: another server takes over, Kubernetes notices."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History
from harbor_verify.history.model import NOT_RESPONDED, RESPONDED
from harbor_verify.verdict import Offender


def response(history: History, *, budget_ms: float | None = None) -> Judgement:
    """What each disruption was to bring about while it lasted came, within `budget_ms` milliseconds of the injection.

    None: it is enough that it came before the wait for it was over. A disruption that awaits no response has none.

    False: it did not come while it was waited for, or later than the budget.
    Unknown: it could not be seen whether it came; a disruption that was not proven, and brought nothing about.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    times_ms: dict[str, float] = {}
    for disruption in history.disruptions():
        event = disruption.response
        if event is None:
            continue
        took_ms = round((event.at_ns - disruption.inject.at_ns) / 1e6, 3)
        expected = event.value.get("expected", "the fault is answered")
        observed = event.value.get("observed", "")
        if event.name == NOT_RESPONDED and disruption.proven is None:
            unknowns.append(f"{disruption.name} was not proven; {observed}")
        elif event.name == NOT_RESPONDED:
            offenders.append(Offender(disruption.name, expected, f"not after {took_ms:.0f} ms: {observed}"))
        elif event.name != RESPONDED:
            unknowns.append(f"{disruption.name}: whether {expected} could not be seen: {observed}")
        else:
            times_ms[disruption.name] = took_ms
            if budget_ms is not None and took_ms > budget_ms:
                within = f"{expected}, within {budget_ms:.0f} ms"
                offenders.append(Offender(disruption.name, within, f"after {took_ms:.0f} ms"))
    return Judgement(
        "response",
        tuple(offenders),
        tuple(unknowns),
        measured={"response_ms": max(times_ms.values())} if times_ms else {},
        evidence=times_ms,
    )
