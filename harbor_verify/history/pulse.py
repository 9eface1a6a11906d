"""How much of a time the machine that asked was starved: it then sees slow answers that were none.

The history has, all the while, events of the suite (`PULSE`), each about the time since the one before:
    {"ms": how long that was, "late_ms": by how much a thread that slept a short while woke too late, all in all,
     "stalled_ms"?: in how much of it some process had to wait for a CPU, "stolen_ms"?: what a hypervisor took of a CPU}
"""

from dataclasses import dataclass

from harbor_verify.history.model import Event, History, Operation

PULSE = "pulse"
_MOST_OF_IT = 0.75
"""That somebody waited for a CPU all the time does not show that a request had less than a quarter of one."""


@dataclass(frozen=True)
class Starved:
    """For how much of a time somebody had to wait for the machine, in milliseconds."""

    late_ms: float = 0.0
    stalled_ms: float = 0.0
    stolen_ms: float = 0.0

    @property
    def ms(self) -> float:
        """The worst of them: they overlap."""
        return max(self.late_ms, self.stalled_ms, self.stolen_ms)

    def __str__(self) -> str:
        return (
            f"threads woke late by {self.late_ms:.0f} ms in all, processes waited for a CPU for "
            f"{self.stalled_ms:.0f} ms, {self.stolen_ms:.0f} ms were stolen"
        )


def starved(history: History, begin_ns: int, end_ns: int) -> Starved:
    """Of that time, on the history's clock; of a pulse that is in it in part, as much as its part, and of waiting for
    a CPU three quarters at most. Zeros where the history has no pulse.
    """
    late_ms = stalled_ms = stolen_ms = 0.0
    for event in history.events:
        if event.name == PULSE:
            share = _share(event, begin_ns, end_ns)
            late_ms += share * float(event.value["late_ms"])
            most_ms = _MOST_OF_IT * float(event.value["ms"])
            stalled_ms += share * min(most_ms, float(event.value.get("stalled_ms", 0)))
            stolen_ms += share * float(event.value.get("stolen_ms", 0))
    return Starved(late_ms, stalled_ms, stolen_ms)


def starved_during(history: History, op: Operation) -> Starved:
    """While an operation was under way."""
    return starved(history, op.invoked_ns, history.end_ns if op.completed_ns is None else op.completed_ns)


def _share(event: Event, begin_ns: int, end_ns: int) -> float:
    """How much of a pulse's time is in that time, from 0 to 1."""
    length_ns = float(event.value["ms"]) * 1e6
    overlap_ns = min(end_ns, event.at_ns) - max(begin_ns, event.at_ns - length_ns)
    return max(0.0, overlap_ns / length_ns) if length_ns else 0.0
