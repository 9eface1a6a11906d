"""A history as checkers see it: data, complete or not. The words are Jepsen's."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """ok: it was done. fail: it was surely not done. info: nobody knows, e.g. no answer came to a write."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


RESPONDED, NOT_RESPONDED, RESPONSE_UNSEEN = RESPONSES = ("responded", "not-responded", "response-unseen")
"""Events of a disruption: what was to happen while it lasted did, did not in time, or could not be seen."""
CONFIRMING = "confirming"
"""Event of the suite, after the heal: what is refused is asked for again for `value["span_s"]` seconds."""
SESSIONS_LIVE = "sessions-live"
"""Event of the suite, at the begin: Harbor keeps a session that nobody uses for `value["unused_s"]` seconds."""
LONGEST_WAIT_MS = "longest_wait_ms"
"""In an operation's value: the longest of its requests, where it takes several."""
UNANSWERED_MS = "unanswered_ms"
"""In the value of one that failed: the time since its last good answer, or more, where it takes several requests."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client asked for.

    Times are nanoseconds of the monotonic clock since the history began. An operation that never came to an end
    has neither `completed_ns` nor `outcome`.
    """

    client: str
    """Who asked: one thread's name, session-probe@web-0. Its operations normally do not overlap."""
    kind: str
    """session-probe, login, pull, push, …"""
    replica: str
    """Where: web-0 or front-door. An alias: web-0 may be one pod before a disruption, and another one after."""
    invoked_ns: int
    completed_ns: int | None = None
    outcome: Outcome | None = None
    value: Mapping[str, Any] = field(default_factory=dict)
    """What it was about, as JSON takes it; never a secret."""
    status: int | None = None
    """HTTP status, where there was one."""
    error: str | None = None
    """Class of what went wrong. No message: it might quote a secret."""
    asked: bool = True
    """False when the suite itself could not ask (the way there was closed), which says nothing about Harbor."""
    index: int = 0
    uid: str = ""
    """The pod's UID, where it was asked of one replica: which pod `replica` was then."""

    @property
    def begin_s(self) -> float:
        """Seconds since the history began."""
        return self.invoked_ns / 1e9

    @property
    def end_s(self) -> float | None:
        """Seconds since the history began; None: it never came to an end."""
        return None if self.completed_ns is None else self.completed_ns / 1e9

    @property
    def duration_ms(self) -> float | None:
        return None if self.completed_ns is None else (self.completed_ns - self.invoked_ns) / 1e6

    @property
    def longest_wait_ms(self) -> float | None:
        """The longest time without an answer; that of the whole operation where it is one request."""
        longest_ms: float | None = self.value.get(LONGEST_WAIT_MS, self.duration_ms)
        return longest_ms

    @property
    def waited_ms(self) -> float:
        """The same; 0 for what never came to an end."""
        return self.longest_wait_ms or 0.0

    @property
    def unanswered_ns(self) -> int:
        """From when on it had no good answer, if it was not ok."""
        if self.completed_ns is None or UNANSWERED_MS not in self.value:
            return self.invoked_ns
        unanswered_ms: float = self.value[UNANSWERED_MS]
        return max(self.invoked_ns, self.completed_ns - round(unanswered_ms * 1e6))

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK


def uids_of(operations: Iterable[Operation]) -> tuple[str, ...]:
    """The UIDs of the pods that were asked, each once."""
    return tuple(dict.fromkeys(op.uid for op in operations if op.uid))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the target. `at_ns` is on the same clock as the operations.

    Of a disruption (`subject`: pod-kill web-0): inject, proven, responded, healed, or what came in their place; see
    harbor_verify/disruptions/base.py.
    Of a workload that is watched (`subject`: web): see harbor_verify/history/replicas.py.
    """

    subject: str
    name: str
    at_ns: int
    value: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at_s(self) -> float:
        """Seconds since the history began."""
        return self.at_ns / 1e9


@dataclass(frozen=True)
class History:
    """Operations in the order of their beginning, events in the order of their happening.

    `ended_ns` is when one stopped looking; None: with the last thing that is in it.
    """

    operations: tuple[Operation, ...] = ()
    events: tuple[Event, ...] = ()
    ended_ns: int | None = None
    unreadable: int = 0
    """Lines of its file that were left out: the file breaks off, or is damaged."""

    @property
    def end_ns(self) -> int:
        """When the history ends; 0 for an empty one."""
        if self.ended_ns is not None:
            return self.ended_ns
        times = [event.at_ns for event in self.events]
        times += [op.invoked_ns if op.completed_ns is None else op.completed_ns for op in self.operations]
        return max(times, default=0)

    def of(self, client: str) -> list[Operation]:
        """What this client asked."""
        return [op for op in self.operations if op.client == client]

    def of_kind(self, kinds: Collection[str]) -> list[Operation]:
        """Operations of these kinds, of all clients."""
        return [op for op in self.operations if op.kind in kinds]

    def without(self, kinds: Collection[str]) -> "History":
        """The same without operations of these kinds."""
        others = tuple(op for op in self.operations if op.kind not in kinds)
        return replace(self, operations=others, ended_ns=self.end_ns)

    def disruptions(self) -> list["Disrupted"]:
        """Each disruption with the time it took; in the order of injection."""
        disruptions = []
        for event in self.events:
            if event.name != "inject":
                continue
            again = self._first(event.subject, ("inject",), after_ns=event.at_ns + 1)
            until_ns = again.at_ns if again else None
            proven, healed, response, not_healed = (
                self._first(event.subject, names, after_ns=event.at_ns, before_ns=until_ns)
                for names in (("proven",), ("healed",), RESPONSES, ("not-healed",))
            )
            disruptions.append(Disrupted(event, proven, healed, response, not_healed))
        return disruptions

    @property
    def disrupted_s(self) -> tuple[float, float] | None:
        """From the first injection to the last heal (or the end), in seconds; None when nothing was injected."""
        disruptions = self.disruptions()
        if not disruptions:
            return None
        healed_ns = max(each.healed.at_ns if each.healed else self.end_ns for each in disruptions)
        return disruptions[0].inject.at_s, healed_ns / 1e9

    def _first(
        self, subject: str, names: Collection[str], *, after_ns: int, before_ns: int | None = None
    ) -> Event | None:
        for event in self.events:
            inside = after_ns <= event.at_ns and (before_ns is None or event.at_ns < before_ns)
            if inside and event.subject == subject and event.name in names:
                return event
        return None


@dataclass(frozen=True)
class Disrupted:
    """One disruption in a history: when it was injected, and, if it came to that, proven, answered and healed."""

    inject: Event
    proven: Event | None
    healed: Event | None
    response: Event | None = None
    """One of RESPONSES, where a response was awaited."""
    not_healed: Event | None = None
    """In the place of `healed`."""

    @property
    def name(self) -> str:
        return self.inject.subject
