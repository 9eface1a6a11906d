"""Where Harbor keeps what is not images: its database and its sessions, as its settings name them."""

from dataclasses import dataclass, field, fields
from typing import TypeVar


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
        return f"{self.host}:{self.port}"

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
        return f"{self.host}:{self.port}"

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
