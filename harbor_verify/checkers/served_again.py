"""What nobody could do while something was broken works again afterwards."""

from collections.abc import Collection

from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History
from harbor_verify.verdict import Offender


def served_again(history: History, *, kinds: Collection[str], budget_ms: float) -> Judgement:
    """At each place that was asked for operations of these kinds one was done within `budget_ms` of the last heal.

    False: the first good answer came later, or none, and the history goes on for longer than the budget.
    Unknown: none came, and the history ends before the budget does; nothing was healed; nobody asked for any.
    """
    disruptions, asked, told = history.disruptions(), history.of_kind(kinds), ", ".join(sorted(kinds))
    unknowns, offenders, took_ms = unhealed(disruptions), [], list[float]()
    if not asked:
        unknowns.append(f"nobody asked for a {told}")
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        seen_ms = (history.end_ns - healed_ns) / 1e6
        for place in dict.fromkeys(op.replica for op in asked):
            here = [op for op in asked if op.replica == place and op.ok]
            after_ms = [(op.completed_ns - healed_ns) / 1e6 for op in here if op.completed_ns]
            first_ms = min((each for each in after_ms if each > 0), default=None)
            took_ms += [] if first_ms is None else [first_ms]
            if (seen_ms if first_ms is None else first_ms) > budget_ms:
                expected = f"answered well within {budget_ms:.0f} ms of the heal"
                observed = f"not after {seen_ms:.0f} ms" if first_ms is None else f"after {first_ms:.0f} ms"
                offenders.append(Offender(f"{told}@{place}", expected, observed))
            elif first_ms is None:
                unknowns.append(
                    f"{told}@{place}: no good answer, and the history ends {seen_ms:.0f} ms after the heal"
                )
    measured = {"served_again_ms": round(max(took_ms), 3)} if took_ms else {}
    return Judgement("served-again", tuple(offenders), tuple(unknowns), measured=measured)
