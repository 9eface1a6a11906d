"""From what was seen to a verdict: every offender is named, never only the first."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harbor_verify.errors import AnswerError, CannotTell
from harbor_verify.reports.model import Offender as Offender


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
