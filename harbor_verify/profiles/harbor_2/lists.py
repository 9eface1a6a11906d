"""How lists of Harbor 2.x's API come: a page at a time."""

from collections.abc import Iterator
from typing import Any

from harbor_verify.clients.harbor import Credentials, Harbor, basic
from harbor_verify.clients.http import document, expect

API = "/api/v2.0"
PAGE = 100
"""Entries of a page: the most that it gives."""


class HasLists(Harbor):
    """The part of its client that reads them."""

    def each_of(self, path: str, query: dict[str, Any], credentials: Credentials | None) -> Iterator[Any]:
        """The entries of a list of the API, by its path below /api/v2.0, a page at a time."""
        number = 1
        while True:
            page = {**query, "page": number, "page_size": PAGE}
            answer = self.http.get(f"{API}{path}", params=page, auth=basic(credentials))
            batch = document(expect(answer, 200)) or []
            yield from batch
            if len(batch) < PAGE:
                return
            number += 1
