"""Who is at work while something is broken, and what they were promised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harbor_verify.clients.harbor import Session
from harbor_verify.workloads import InTurn, Work
from harbor_verify.workloads.images import Push, Pushed
from harbor_verify.workloads.sessions import Login
from harbor_verify.workloads.values import ValueWrite


class Tried(NamedTuple):
    """The replicas that were asked for everything after the heal, by name."""

    webs: Sequence[str] = ()
    """Of sessions, the catalogue and values; the front door is one of them."""
    keepers: Sequence[str] = ()
    """Of images, which they have."""
    passers: Sequence[str] = ()
    """Of images, which they pass on."""
    accounts: bool = False
    """Whether accounts were asked for that clients at work use: where Harbor has none of that kind they were not."""


@dataclass
class ClientsAtWork:
    """Who is at work: a client does one kind of work, or several in turn."""

    opened: list[Session]
    known: Pushed
    """An image that was there before anything was broken."""
    written: ValueWrite | None = None
    works: list[Work] = field(default_factory=list)
    """All work; what is no client's is done before and after alone."""
    clients: list[Work] = field(default_factory=list)

    @property
    def sessions(self) -> list[Session]:
        """Those that were there before, and those that were acknowledged since."""
        logins = [work for work in self.works if isinstance(work, Login)]
        return [*self.opened, *(session for login in logins for session in login.sessions)]

    @property
    def pushed(self) -> list[Pushed]:
        """What was acknowledged."""
        pushes = [work for work in self.works if isinstance(work, Push)]
        return [each for push in pushes for each in push.acknowledged]

    @property
    def lanes(self) -> list[list[Work]]:
        """All work; what uses the same connection, to one replica, is in one lane."""
        lanes: dict[str, list[Work]] = {}
        for work in self.works:
            lanes.setdefault(work.uid or work.client, []).append(work)
        return list(lanes.values())

    def add(self, *works: Work, seldom: Work | None = None, every: int = 0) -> None:
        """One client for these, all at one place, and for `seldom` in one of `every` turns."""
        client = InTurn(works, seldom=seldom, every=every)
        self.works += client.works
        self.clients.append(client if len(client.works) > 1 else works[0])
