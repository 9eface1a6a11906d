"""How starved the machine that asked was while something was broken: a figure only, no verdict."""

from dataclasses import asdict

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History
from harbor_verify.history.pulse import PULSE, starved


def pulse(history: History) -> Judgement:
    """Always true; it measures the share of the time from the first injection to the last heal (or the end) in which
    somebody had to wait for the machine. What follows from that for slow answers: harbor_verify/checkers/outage.py.
    """
    disrupted_s = history.disrupted_s
    if not disrupted_s or not any(event.name == PULSE for event in history.events):
        return Judgement("pulse")
    begin_ns, end_ns = (round(at_s * 1e9) for at_s in disrupted_s)
    meanwhile = starved(history, begin_ns, end_ns)
    percent = round(100 * meanwhile.ms * 1e6 / max(1, end_ns - begin_ns), 1)
    return Judgement("pulse", measured={"starved_percent": percent}, evidence=asdict(meanwhile))
