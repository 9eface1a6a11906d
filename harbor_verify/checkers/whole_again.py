"""Whether all is as it was before, after a disruption was taken back."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History
from harbor_verify.verdict import Offender


def whole_again(history: History) -> Judgement:
    """Every disruption was healed: every replica is Ready, every Service leads to these, every server is well.

    False: it was waited for until the deadline, and was not so.
    Unknown: no disruption; what kept from healing was no wait that came to its end; a history that does not tell.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    for disruption in history.disruptions():
        if disruption.healed:
            continue
        event = disruption.not_healed
        if event is None:
            unknowns.append(f"{disruption.name} was not healed")
            continue
        observed = str(event.value.get("observed", ""))
        if event.value.get("late"):
            after_ms = (event.at_ns - disruption.inject.at_ns) / 1e6
            offenders.append(
                Offender(disruption.name, "all is whole again", f"not after {after_ms:.0f} ms: {observed}")
            )
        else:
            unknowns.append(f"{disruption.name} was not healed: {observed}")
    if not history.disruptions():
        unknowns.append("nothing was disrupted")
    return Judgement("whole-again", tuple(offenders), tuple(unknowns))
