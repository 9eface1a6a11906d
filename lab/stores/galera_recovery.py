"""Which Galera node may start a cluster again after all have ended: the one that knows the last transaction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NO_CLUSTER = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Position:
    """The last transaction that a node has: the cluster's history it belongs to and its number in it."""

    history: str
    number: int

    def __str__(self) -> str:
        return f"{self.history}:{self.number}"


def saved_position(grastate: str) -> Position | None:
    """The position in the text of a grastate.dat, or None: a node that was killed left none there."""
    fields = dict(re.findall(r"^(uuid|seqno):\s*(\S+)", grastate, re.MULTILINE))
    return _known(fields.get("uuid", _NO_CLUSTER), fields.get("seqno", "-1"))


def recovered_position(output: str) -> Position | None:
    """The position in the output of `mariadbd --wsrep-recover`, or None when the tables hold none."""
    positions = re.findall(r"WSREP: Recovered position:\s*([0-9a-f-]{36}):(-?\d+)", output)
    return _known(*positions[-1]) if positions else None


def _known(history: str, number: str) -> Position | None:
    return None if history == _NO_CLUSTER or int(number) < 0 else Position(history, int(number))


def first_to_start(positions: Mapping[str, Position | None]) -> str:
    """The node to start the cluster from: one of the history that most nodes share, with its highest number.

    When no node knows a position none of them was ever part of a cluster that did anything: the first is taken.
    """
    known = {name: position for name, position in positions.items() if position}
    if not known:
        return next(iter(positions))
    histories = [position.history for position in known.values()]
    return max(known, key=lambda name: (histories.count(known[name].history), known[name].number))
