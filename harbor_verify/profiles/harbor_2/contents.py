"""What Harbor 2.x writes down of images, in PostgreSQL. Sources: make/migrations/postgresql; pkg/blob, pkg/artifact."""

from collections.abc import Iterator
from typing import Any

from harbor_verify.clients.sql import Sql
from harbor_verify.model.contents import BlobRow, Known

_PAGE = 2000
_OWN = "JOIN project p ON p.project_id = a.project_id WHERE coalesce(p.registry_id, 0) = 0"
"""Of artifacts `a`: those of projects that are no proxy cache."""
_AGE_S = "greatest(0, extract(epoch FROM CURRENT_TIMESTAMP::timestamp - update_time))"


class Harbor2Contents:
    """Contents (harbor_verify/model/contents.py)."""

    def artifacts(self, sql: Sql) -> Iterator[Known]:
        query = f"SELECT a.id, a.repository_name, a.digest FROM artifact a {_OWN} AND a.id > %s ORDER BY a.id LIMIT %s"
        for _, repository, digest in _paged(sql, query):
            yield Known(repository, digest)

    def blobs(self, sql: Sql) -> Iterator[BlobRow]:
        query = f"SELECT id, digest, size, status, {_AGE_S} FROM blob WHERE id > %s ORDER BY id LIMIT %s"
        for _, digest, size, status, age_s in _paged(sql, query):
            yield BlobRow(digest, int(size), str(status), float(age_s))

    def holdings(self, sql: Sql) -> Iterator[tuple[str, str]]:
        query = "SELECT id, digest_af, digest_blob FROM artifact_blob WHERE id > %s ORDER BY id LIMIT %s"
        for _, artifact, blob in _paged(sql, query):
            yield artifact, blob

    def recorded(self, sql: Sql, digests: list[str]) -> set[str]:
        return {digest for (digest,) in sql.rows("SELECT digest FROM blob WHERE digest = ANY(%s)", digests)}

    def left_deleting(self, sql: Sql, older_than_s: float) -> list[BlobRow]:
        query = (
            f"SELECT digest, size, status, {_AGE_S} FROM blob WHERE status IN ('deleting', 'deletefailed') "
            f"AND {_AGE_S} >= %s ORDER BY id LIMIT %s"
        )
        rows = sql.rows(query, older_than_s, _PAGE)
        return [BlobRow(digest, int(size), status, float(age_s)) for digest, size, status, age_s in rows]

    def has(self, sql: Sql, known: Known) -> bool:
        query = "SELECT 1 FROM artifact WHERE repository_name = %s AND digest = %s"
        return bool(sql.rows(query, known.repository, known.digest))


def _paged(sql: Sql, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query that begins with an id, a page at a time."""
    above = 0
    while rows := sql.rows(query, above, _PAGE):
        yield from rows
        above = rows[-1][0]
