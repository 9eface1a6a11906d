"""Lost means: still lost at the end of a span of repeated asking. One refusal is a spoiled request, and no loss."""

from collections.abc import Callable, Sequence

from harbor_verify.history import CONFIRMING, History, Operation

DEFAULT_SPAN_MS = 10_000.0
LEAST_ASKS = 3
"""So many refusals at least, however long they took: two, and a long silence between them, show little."""


def span_ms(history: History) -> float:
    """For how long what was refused was asked for again after the heal, as the history tells, in milliseconds.

    Where it does not tell, DEFAULT_SPAN_MS.
    """
    spans = [float(event.value["span_s"]) * 1000 for event in history.events if event.name == CONFIRMING]
    return max(spans, default=DEFAULT_SPAN_MS)


def confirmed(
    asks: Sequence[Operation], *, says_lost: Callable[[Operation], bool], span_ms: float
) -> bool | str:
    """Whether a thing is there: True, False (surely lost), or why that cannot be told.

    `asks` are the operations that asked for it after the heal, in their order, all of which ended. It is there when the
    last one was ok; lost when, since the last ok, LEAST_ASKS or more said so, from the first of them to the last for
    `span_ms` milliseconds or longer, and the last ask of all was one of them.
    """
    if not asks:
        return "not asked for after the heal"
    last = asks[-1]
    if last.ok:
        return True
    if not says_lost(last):
        status = f", status {last.status}" if last.status else ""
        return f"the last time it was asked for it failed for another reason ({last.error}{status})"
    since = 1 + max((number for number, op in enumerate(asks) if op.ok), default=-1)
    refusals = [op for op in asks[since:] if says_lost(op)]
    ended_ns = refusals[0].completed_ns or refusals[0].invoked_ns
    lasted_ms = max(0.0, (last.invoked_ns - ended_ns) / 1e6)
    if len(refusals) >= LEAST_ASKS and lasted_ms >= span_ms:
        return False
    return f"refused {len(refusals)} times within {lasted_ms:.0f} ms: too few, or too soon after one another"


def asked_for(span_ms: float) -> str:
    """How what is lost was asked for, in words."""
    return f"asked again and again for {span_ms / 1000:g} s"
