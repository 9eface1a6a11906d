"""Those who are there after the heal do what they are for: they take logins and pushes again."""

from collections.abc import Collection

from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender


def served_again(history: History, *, clients: Collection[str], budget_ms: float) -> Judgement:
    """Each of `clients`, who ask from the last heal on until they are served, was so within `budget_ms` of it.

    False: the first good answer came later, or none, and the history goes on for longer than the budget.
    Unknown: none came, and the history ends before the budget does, or the last time one could not ask; nothing was
    healed; there is no client.
    """
    disruptions = history.disruptions()
    unknowns, offenders, took_ms = unhealed(disruptions), [], list[float]()
    if not clients:
        unknowns.append("nobody asked for anything after the heal")
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        seen_ms = (history.end_ns - healed_ns) / 1e6
        expected = f"done within {budget_ms:.0f} ms of the heal, as before anything was broken"
        for client in clients:
            asks = [op for op in history.of(client) if op.completed_ns and op.completed_ns > healed_ns]
            first_ms = min(
                ((op.completed_ns - healed_ns) / 1e6 for op in asks if op.ok and op.completed_ns),
                default=None,
            )
            if first_ms is not None:
                took_ms.append(first_ms)
                if first_ms > budget_ms:
                    offenders.append(Offender(client, expected, f"after {first_ms:.0f} ms", uids_of(asks)))
            elif asks and not asks[-1].asked:
                unknowns.append(f"{client} could not ask ({asks[-1].error})")
            elif seen_ms > budget_ms:
                observed = f"not within {_asked_ms(asks, healed_ns) or seen_ms:.0f} ms{_why(asks)}"
                offenders.append(Offender(client, expected, observed, uids_of(asks)))
            else:
                unknowns.append(
                    f"{client}: no good answer, and the history ends {seen_ms:.0f} ms after the heal"
                )
    measured = {"served_again_ms": round(max(took_ms), 3)} if took_ms else {}
    return Judgement("served-again", tuple(offenders), tuple(unknowns), measured=measured)


def _asked_ms(asks: list[Operation], healed_ns: int) -> float:
    return max(((op.completed_ns - healed_ns) / 1e6 for op in asks if op.completed_ns), default=0.0)


def _why(asks: list[Operation]) -> str:
    if not asks:
        return ""
    status = f", status {asks[-1].status}" if asks[-1].status else ""
    return f": {len(asks)} times, {asks[-1].error}{status} the last time"
