"""When this machine itself had lost the network: what its clients then miss at the front door is not Harbor's doing.

Seen by those who speak to single replicas by way of the API server: when none of them could so much as ask, nobody here
could.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from harbor_verify.history.model import History, Operation

Span = tuple[int, int]
"""From when to when, in nanoseconds of the history."""
_PODS_OWN = "PodGone"
"""Why one could not ask where the way was there, and the pod was not."""


def cut_off(history: History) -> list[Span]:
    """The times in which somebody who speaks to a single replica could not ask, and nobody who does could."""
    clients: dict[str, list[Operation]] = {}
    for op in history.operations:
        if op.uid and op.error != _PODS_OWN:
            clients.setdefault(op.client, []).append(op)
    able: list[Span] = []
    unable: list[Span] = []
    for operations in clients.values():
        for asked, span in _stretches(operations, history.end_ns):
            (able if asked else unable).append(span)
    return _without(unable, able)


def unasked_while_cut_off(history: History) -> History:
    """The same, with what got no answer at the front door meanwhile as what could not be asked."""
    if not (spans := cut_off(history)):
        return history

    def told(op: Operation) -> Operation:
        end_ns = history.end_ns if op.completed_ns is None else op.completed_ns
        is_silent = not (op.uid or op.ok or op.status)
        if is_silent and any(op.invoked_ns <= until and end_ns >= since for since, until in spans):
            return replace(op, asked=False)
        return op

    return replace(history, operations=tuple(map(told, history.operations)), ended_ns=history.end_ns)


def _stretches(operations: list[Operation], end_ns: int) -> Iterator[tuple[bool, Span]]:
    """Whether a client could ask, stretch by stretch: one in which it could lasts from its first operation to the end
    of its last, one in which it could not until the next begins, or to the end of its last.
    """
    in_order = sorted(operations, key=lambda op: op.invoked_ns)
    since_ns = in_order[0].invoked_ns
    for asked, stretch in groupby(in_order, key=lambda op: op.asked):
        ops = list(stretch)
        begin_ns = ops[0].invoked_ns if asked else since_ns
        if asked and since_ns < begin_ns:
            yield False, (since_ns, begin_ns)
        since_ns = max(end_ns if op.completed_ns is None else op.completed_ns for op in ops)
        yield asked, (begin_ns, since_ns)


def _without(spans: Iterable[Span], others: list[Span]) -> list[Span]:
    """What of `spans`, taken together, is in none of the others."""
    left: list[Span] = []
    for begin, end in sorted(spans):
        pieces = [(max(begin, left[-1][1] if left else begin), end)]
        for since, until in others:
            pieces = [
                piece
                for first, last in pieces
                for piece in ((first, min(last, since)), (max(first, until), last))
                if piece[0] < piece[1]
            ]
        left += [piece for piece in pieces if piece[0] < piece[1]]
    return left
