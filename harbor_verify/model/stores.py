"""Where Harbor keeps what is not images: its database and its sessions, as its settings name them."""

from dataclasses import dataclass, field, fields
from typing import TypeVar

from harbor_verify.model.addresses import joined


@dataclass(frozen=True)
class SessionStore:
    """A Redis. `database` is its number there.

    Where `primary` is set, host and port are those of a Sentinel, `sentinels` are all (HOST:PORT), and they say which
    Redis is the primary of that name.
    """

    host: str
    port: int
    password: str = field(repr=False)
    database: int
    user: str = ""
    tls: bool = False
    primary: str = ""
    sentinels: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return joined(self.host, self.port)

    def __str__(self) -> str:
        where = (
            f"primary {self.primary} of the Sentinels {', '.join(self.sentinels)}"
            if self.primary
            else self.address
        )
        return f"{where}, database {self.database}"


@dataclass(frozen=True)
class Database:
    """An SQL database, and who Harbor is there. `kind` is one of those in harbor_verify/clients/databases.py."""

    kind: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str
    tls: str = ""
    """How the connection is secured, as the database's own clients call it; empty: as they please."""

    @property
    def address(self) -> str:
        return joined(self.host, self.port)

    def __str__(self) -> str:
        return f"{self.name} at {self.address} as {self.user}"


Store = TypeVar("Store", SessionStore, Database)


def differences(actual: Store, wanted: Store) -> list[str]:
    """In what a store is another than the one wanted: `host is redis-2, not redis`. No password is told."""
    return [
        f"{each.name} is {getattr(actual, each.name)}, not {getattr(wanted, each.name)}"
        if each.repr
        else f"the {each.name} is another"
        for each in fields(wanted)
        if getattr(actual, each.name) != getattr(wanted, each.name)
    ]


@dataclass(frozen=True)
class Redundancy:
    """What a store says of other servers that have what it has.

    `survives`: whether there is one that can go on when a server is lost; None: it does not say. `seen` is
    what it says, in words; `managed`: by what one knows that somebody else runs it, who need not show more.
    `passing`: it is on its way to say something else.
    """

    survives: bool | None
    seen: str
    managed: str = ""
    passing: bool = False


@dataclass(frozen=True)
class Durability:
    """What may be lost of what a database acknowledged, in words; empty where nothing is.

    `lost_with_the_server`: when its program or machine ends; `lost_in_a_failover`: when another takes over.
    """

    lost_with_the_server: tuple[str, ...]
    lost_in_a_failover: str = ""


@dataclass(frozen=True)
class SentinelView:
    """What one Sentinel (HOST:PORT) says of the primary and of those that elect another with it.

    `known` is how many they are, itself among them; `usable` how many of them it finds alive; `quorum` how
    many have to agree that the primary is lost. `refusal`: why they could not elect now; empty: they could.
    """

    address: str
    known: int
    usable: int
    quorum: int
    refusal: str = ""
    barred: tuple[str, ...] = ()

    @property
    def majority(self) -> int:
        """How many have to vote for the one that replaces the primary."""
        return self.known // 2 + 1

    @property
    def trouble(self) -> str:
        """Why nobody would be elected when one more of them is lost; empty where somebody would.

        Source: Redis and Valkey, Sentinel: the quorum detects the failure, the majority authorises failover; a replica
        of priority 0 is never selected.
        """
        if self.refusal:
            return self.refusal
        if self.barred:
            return f"no replica is ever to be made primary: replica-priority is 0 at {', '.join(self.barred)}"
        least = max(self.majority, self.quorum)
        if self.usable > least:
            return ""
        needed = f"{least} have to agree (quorum {self.quorum}, majority {self.majority})"
        alive = "1 is" if self.usable == 1 else f"{self.usable} are"
        return f"it knows {self.known}, of which {alive} alive, and {needed}: with one less nobody is elected"
