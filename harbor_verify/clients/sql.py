"""Harbor's database, asked with Harbor's own credentials. Nothing is ever written to a table of Harbor's."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from harbor_verify.errors import StoreRefused
from harbor_verify.model.stores import Database, Durability, Redundancy


class Sql(ABC):
    """One connection. Every method but `close` raises StoreRefused, with the server's words and never a password."""

    def __init__(self, database: Database, address: str) -> None:
        """`address` (HOST:PORT) leads to `database` from here."""
        self._database = database
        way = "" if address == database.address else f", by way of {address}"
        self._what = f"database {database.name} at {database.address}{way}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query; `values` stand in the place of its %s."""

    @abstractmethod
    def tables(self) -> set[str]:
        """The tables of Harbor's database that Harbor's user may see, in lower case."""

    @abstractmethod
    def has_row(self, table: str, where: str) -> bool:
        """Whether a table has a row that fits a condition, which comes from a profile and from nobody else."""

    @abstractmethod
    def missing_rights(self) -> list[str]:
        """What Harbor's user may not do to the tables of its database, of reading and writing."""

    @abstractmethod
    def redundancy(self) -> Redundancy:
        """What it says of other servers that have the same data. What is refused is told, and not raised."""

    @abstractmethod
    def durability(self) -> Durability:
        """What may be lost of what it acknowledges to Harbor."""

    def writer(self) -> str | None:
        """The node of a cluster, all of whose nodes take writes, that this connection leads to; None: there is none."""
        return None

    def most_connections(self) -> int | None:
        """How many connections the server takes of Harbor at most, if nobody else has one; None: it does not say."""
        return None

    def by_pooler(self) -> bool:
        """Whether a pooler takes connections in the server's stead."""
        return False

    def forgets_beside(self, other: Self) -> str:
        """What is said when this connection uses what it has prepared before, while `other` is in a transaction.

        Empty: it is used as if nobody else were there.
        """
        return ""

    def _refusal(self, message: str) -> StoreRefused:
        return StoreRefused(f"{self._what}: {message}")
