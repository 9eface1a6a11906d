"""How often clients at work ask, and how much they may push: both follow from what is to be seen."""

import math
import threading
from collections.abc import Collection

from harbor_verify.errors import CannotTell

_ASKS_AN_OUTAGE = 2
"""So often each client asks within the longest outage that is allowed: one that is as long is then met by a request."""
_MOST_SECONDS = 0.8
"""However long an outage may be: what was acknowledged just before, and how long it was, is to be seen closely."""
_LOGINS_PER_S = 1.0
"""Logins of all clients of single replicas together: a password costs Harbor from 2.15.2 on 0.1 s of a processor."""
_PARTS = 100
_AREA = "failover"


def pace_s(outage_budget_ms: float) -> float:
    """Seconds from one question of a client to its next."""
    return min(_MOST_SECONDS, outage_budget_ms / 1000 / _ASKS_AN_OUTAGE)


def rate_per_s(clients: int, outage_budget_ms: float, most_per_s: float) -> float:
    """Operations a second of so many clients together. Raises CannotTell where that is more than is allowed, and an
    outage of the budget's length would be seen by nobody.
    """
    wanted = clients / pace_s(outage_budget_ms)
    if clients / most_per_s > outage_budget_ms / 1000:
        raise CannotTell(
            f"{clients} clients see an outage of {outage_budget_ms:g} ms only with {wanted:.0f} operations a second, "
            f"and --operations-per-s allows {most_per_s:g}"
        )
    return min(wanted, most_per_s)


def turns_between_logins(places: int, works_at_one: int, outage_budget_ms: float) -> int:
    """At each of so many replicas one turn in so many is a login; no more than each kind of work's share."""
    together_per_s = places / pace_s(outage_budget_ms)
    return max(works_at_one, math.ceil(together_per_s / _LOGINS_PER_S))


def push_share_bytes(push_mib: int, selected: Collection[str], repeat: int) -> int:
    """What may be pushed each time that something is broken, of what a run may push; `selected` are ids of checks."""
    disruptions = sum(id.partition(".")[0] == _AREA for id in selected)
    return push_mib * 2**20 // max(1, disruptions * repeat)


class PushAllowance:
    """How many bytes may still be pushed. For several threads."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._left_bytes = most_bytes
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        return self.most_bytes - self._left_bytes

    def part(self, most_bytes: int, least_bytes: int) -> int:
        """How large something may be that is pushed again and again: a hundredth of what is left, within these."""
        return max(least_bytes, min(most_bytes, self._left_bytes // _PARTS))

    def take(self, size_bytes: int) -> bool:
        """Whether so much is left; it is then taken."""
        with self._lock:
            if size_bytes > self._left_bytes:
                return False
            self._left_bytes -= size_bytes
            return True
