"""What a generation of Harbor holds that an upgrade must leave as it is, and how it is listed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import AnswerError, UnexpectedAnswer

_MOST_REFUSED = 10
"""So many requests in a row that are refused or not answered, and the rest of a part is not asked for."""


@dataclass(frozen=True)
class Entry:
    """One thing of a part: `key` names it for people, and is the same before and after; `value` is JSON.

    `beside` is what is known of it now and not kept.
    """

    key: str
    value: Any
    beside: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Unread:
    """What could not be read of a part: the thing that `key` names or, where it ends in a slash, all below it."""

    key: str
    why: str


Item: TypeAlias = Entry | Unread
Listing: TypeAlias = Callable[[], Iterator[Item]]
"""Gives the entries of one part, a page at a time. Raises AnswerError where the whole of it cannot be had."""


class Owners:
    """Goes from one owner of entries (a project, a repository) to the next, past those that are refused."""

    def __init__(self) -> None:
        self._refused = 0

    def below(
        self, owners: Iterator[Any], key: Callable[[Any], str], entries: Callable[[Any], Iterator[Item]]
    ) -> Iterator[Item]:
        """The entries of each owner; one that is refused is told as `Unread` under its key, and is passed by.

        An owner that was deleted meanwhile has none. Raises AnswerError where many in a row are refused.
        """
        for owner in owners:
            try:
                for each in entries(owner):
                    if isinstance(each, Entry):
                        self._refused = 0
                    yield each
            except AnswerError as refusal:
                if isinstance(refusal, UnexpectedAnswer) and refusal.status == 404:
                    continue
                self._refused += 1
                if self._refused >= _MOST_REFUSED:
                    raise
                yield Unread(key(owner), str(refusal))


@dataclass(frozen=True)
class Lockout:
    """A secret that must stay: `locks_out` says who is locked out by another one, as a sentence.

    `length`: how many characters it must have; None: any.
    """

    locks_out: str
    length: int | None = None
    may_change: bool = False
    """Whether another one of the right length locks nobody out for good."""


@dataclass(frozen=True)
class Upgrade:
    """How one generation is compared before and after an upgrade."""

    lists: Callable[[Harbor, Credentials, Callable[[str], None]], Mapping[str, Listing]]
    """By part (harbor_verify/baseline/parts.py), what the API lists; the last argument takes remarks."""
    lockouts: Mapping[str, Lockout]
    """By the variable, or the path in the container, of a part of Harbor's."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By the setting that must stay, what else happens, as a sentence."""
    made_anew: frozenset[str] = frozenset()
    """Variables and paths of secrets that each rendering of the chart makes anew, and which nobody is locked out by."""
    newest_schema: Callable[[str], int | None] = lambda version: None
    """The newest schema that a Harbor which calls itself so, or whose image has this tag, can start with; None: not
    known."""
