"""Whether a client asked at all while something was broken: who did not ask has nothing to tell."""

import statistics
from itertools import pairwise

from harbor_verify.history import History, Operation

_TURNS = 1.5
"""Within so many of its usual turns a client asks again, also one that is a little late."""


def silences(history: History, client: str, *, longest_ms: float | None = None) -> list[str]:
    """Why this client's operations do not cover the disruptions; a line each, [] when they do.

    During each disruption (inject to healed, or to the end) it must have had an operation under way, and, with
    `longest_ms`, never have been without one for longer than that. One that is over before the client's next turn (the
    median of those before) is covered by that turn, which meets what it left.
    """
    operations = history.of(client)
    if not operations:
        return [f"{client} asked nothing"]
    if not history.disruptions():
        return [f"nothing was disrupted while {client} asked"]
    gaps = []
    for disruption in history.disruptions():
        begin_ns = disruption.inject.at_ns
        end_ns = disruption.healed.at_ns if disruption.healed else history.end_ns
        end_ns = max(end_ns, min(_next_turn_ns(operations, begin_ns), history.end_ns))
        if not any(
            op.invoked_ns <= end_ns and (op.completed_ns is None or op.completed_ns >= begin_ns)
            for op in operations
        ):
            gaps.append(f"{client} asked nothing during {disruption.name}")
            continue
        silent_ms = _longest_silence_ns(operations, begin_ns, end_ns, history.end_ns) / 1e6
        if longest_ms is not None and silent_ms > longest_ms:
            gaps.append(f"{client} asked nothing for {silent_ms:.0f} ms during {disruption.name}")
    return gaps


def _next_turn_ns(operations: list[Operation], at_ns: int) -> int:
    """When this client is to have asked again, by how often it asked until then."""
    begun_ns = [op.invoked_ns for op in _in_order(operations) if op.invoked_ns <= at_ns]
    turns_ns = [after - before for before, after in pairwise(begun_ns)]
    return at_ns + round(_TURNS * statistics.median(turns_ns)) if turns_ns else at_ns


def _in_order(operations: list[Operation]) -> list[Operation]:
    return sorted(operations, key=lambda op: op.invoked_ns)


def _longest_silence_ns(operations: list[Operation], begin_ns: int, end_ns: int, history_end_ns: int) -> int:
    longest_ns, covered_ns = 0, begin_ns
    for op in _in_order(operations):
        if op.invoked_ns > end_ns:
            break
        longest_ns = max(longest_ns, op.invoked_ns - covered_ns)
        covered_ns = max(covered_ns, history_end_ns if op.completed_ns is None else op.completed_ns)
    return max(longest_ns, end_ns - covered_ns)
