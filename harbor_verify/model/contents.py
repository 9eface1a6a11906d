"""What Harbor's database says of images: which there are, and what they are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from harbor_verify.clients.sql import Sql


@dataclass(frozen=True)
class Known:
    """An artifact that Harbor knows: an image, an index, a chart, a signature."""

    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True)
class BlobRow:
    """A blob as the database has it. `age_s`: seconds since the row was changed."""

    digest: str
    size: int
    status: str
    age_s: float


class Contents(Protocol):
    """How one generation's database is asked. All raise StoreRefused, and read a page of rows at a time."""

    def artifacts(self, sql: Sql) -> Iterator[Known]:
        """All but those of proxy caches, which fetch what they lack."""
        ...

    def blobs(self, sql: Sql) -> Iterator[BlobRow]: ...

    def holdings(self, sql: Sql) -> Iterator[tuple[str, str]]:
        """(digest of an artifact, digest of what it is made of)."""
        ...

    def recorded(self, sql: Sql, digests: list[str]) -> set[str]:
        """Those of these blobs that it knows."""
        ...

    def left_deleting(self, sql: Sql, older_than_s: float) -> list[BlobRow]:
        """Blobs that a garbage collection began to delete and did not, so long ago."""
        ...

    def has(self, sql: Sql, known: Known) -> bool: ...
