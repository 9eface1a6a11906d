"""From what was seen to a verdict: every offender is named, never only the first."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harbor_verify.errors import AnswerError, CannotTell


@dataclass(frozen=True)
class Offender:
    """One thing that is not as it should be.

    `object` is what an operator would look at: `namespace/name`, with the kind before it where that helps.
    """

    object: str
    expected: str
    observed: str

    def __str__(self) -> str:
        return f"{self.object}\n  expected: {self.expected}\n  observed: {self.observed}"


class Failure(AssertionError):
    """Harbor is wrong; `offenders` are all that are."""

    def __init__(self, offenders: Iterable[Offender]) -> None:
        self.offenders = tuple(offenders)
        super().__init__("\n".join(str(offender) for offender in self.offenders))


def judge(offenders: Iterable[Offender], *, examined: int) -> None:
    """Pass if there is no offender among the `examined` things.

    Raises Failure with all offenders, and CannotTell when nothing was examined: nobody is wrong in an empty
    room, but nothing is shown by it.
    """
    offenders = tuple(offenders)
    if offenders:
        raise Failure(offenders)
    if examined < 1:
        raise CannotTell("there was nothing to examine, so nothing is shown")


@contextmanager
def expecting(offenders: list[Offender], thing: str, expected: str) -> Iterator[None]:
    """Whatever Harbor refuses, or does not answer, within the block makes `thing` an offender; the block ends there."""
    try:
        yield
    except AnswerError as trouble:
        offenders.append(Offender(thing, expected, str(trouble)))
