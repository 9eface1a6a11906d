"""What a check has found: every thing that is not as it should be, and every thing that could not be found out.

    with findings.about(replica.object, "lets the administrator in") as replica_login:
        session = harbor.web(replica).sign_in(harbor.credentials)
        if harbor.web(replica).whoami(session) is None:
            replica_login.wrong("let in, but its own session is unknown to it")

Nothing is counted by hand: each block is one thing examined. The verdict is drawn at the end of the check.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from harbor_verify.errors import AnswerError, CannotTell, NeedMissing, WrongConfiguration
from harbor_verify.verdict import Failure, Offender

R = TypeVar("R")
T = TypeVar("T")
_AT_ONCE = 8
"""So many things are examined at the same time, at most: of more replicas none is to be slow for that."""


class Examined:
    """One thing that is examined, and what is expected of it."""

    def __init__(self, findings: "Findings", thing: str, expected: str) -> None:
        self.thing, self.expected = thing, expected
        self._findings = findings

    def wrong(self, observed: str, *, expected: str | None = None) -> None:
        """It is not as expected; `expected` says more exactly what was, where that became known later."""
        self._findings.wrong(self.thing, expected or self.expected, observed)

    def unknown(self, reason: str) -> None:
        """It could not be found out whether it is as expected."""
        self._findings.unknown(self.thing, reason)


class Findings:
    """The collector of one check. What is surely wrong outweighs what could not be found out."""

    def __init__(self) -> None:
        self.offenders: list[Offender] = []
        self.unknowns: list[str] = []
        """A line each: what could not be found out, and why."""
        self.missing: list[NeedMissing] = []
        """What would have been needed to look at more."""
        self.examined = 0

    @contextmanager
    def about(self, thing: str, expected: str) -> Iterator[Examined]:
        """Examine one thing. What Harbor refuses or does not answer within the block, and a setting of its that cannot
        be right, make it an offender; CannotTell makes it unknown, and NeedMissing is what the check is blocked by,
        unless anything else speaks against it. Each ends the block, and the check goes on.

        `thing` is what an operator would look at: `kind namespace/name`.
        """
        self.examined += 1
        examined = Examined(self, thing, expected)
        try:
            yield examined
        except (AnswerError, WrongConfiguration) as refusal:
            examined.wrong(str(refusal))
        except CannotTell as reason:
            examined.unknown(str(reason))
        except NeedMissing as reason:
            self.missing.append(reason)

    def wrong(self, thing: str, expected: str, observed: str) -> None:
        """A thing is not as expected: one that was examined, or several together."""
        self.offenders.append(Offender(thing, expected, observed))

    def unknown(self, thing: str, reason: str) -> None:
        """It could not be found out whether a thing is as it should be."""
        self.unknowns.append(f"{thing}: {reason}")

    def take(self, other: "Findings") -> None:
        """Take over what was found meanwhile by another collector: of the last of several looks."""
        self.offenders += other.offenders
        self.unknowns += other.unknowns
        self.missing += other.missing
        self.examined += other.examined

    def side_by_side(self, things: Iterable[T], examine: Callable[[T, "Findings"], R]) -> list[R]:
        """Examine things that do not disturb one another at the same time, each with findings of its own; what was
        found is told, and what `examine` returned is given, in the order of the things. Raises what it raises, when
        what is under way has ended.
        """

        def examined(thing: T) -> tuple[R, Findings]:
            own = Findings()
            return examine(thing, own), own

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = list(pool.map(examined, things))
        for _, own in done:
            self.take(own)
        return [result for result, _ in done]

    def settle(self) -> None:
        """Pass if all that was examined is as it should be.

        Raises Failure with all offenders, else CannotTell with all that could not be found out, else NeedMissing with
        all that was missing; an empty set proves nothing, so it is not a pass, either.
        """
        unseen = [*self.unknowns, *dict.fromkeys(map(str, self.missing))]
        if self.offenders:
            failure = Failure(self.offenders)
            for unknown in unseen:
                failure.add_note(f"could not be found out: {unknown}")
            raise failure
        if self.unknowns:
            raise CannotTell("\n".join(unseen))
        if self.missing:
            raise NeedMissing("\n".join(unseen))
        if not self.examined:
            raise CannotTell("there was nothing to examine, and an empty set proves nothing")
