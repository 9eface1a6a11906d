"""What the registry's Redis says of blobs, and the storage does not bear out.

distribution keeps `blobs::DIGEST` (a hash: digest, size, mediatype) of what it has seen in its storage, and
`repository::NAME::blobs::DIGEST` of what a repository may give. As long as both are there it looks no further: HEAD is
200, a mount into another repository is 201, and a push skips the layer. The other way round, bytes that Redis does not
know, is no trouble: the storage is then asked. Source: distribution 2.8, registry/storage/cache/redis.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from harbor_verify.audit.kinds import Kind, Trouble
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.reading import Sizes
from harbor_verify.audit.walk import Found, Walk

DESCRIPTORS, LINKS = "blobs::*", "repository::*::blobs::*"
_LINK = re.compile(r"repository::(?P<repository>.+)::blobs::(?P<digest>[a-z0-9+._-]+:[0-9a-f]+)")


class Cache(Protocol):
    """A Redis, read only. Raises StoreRefused, CannotTell."""

    def keys(self, pattern: str) -> Iterator[str]: ...

    def fields(self, key: str) -> Mapping[str, str]: ...


def descriptors(notebook: Notebook, cache: Cache, place: str, most: int | None = None) -> int:
    """Tell what Redis says wrongly of blobs that images are made of; returns how many were compared.

    Not of those that are not well already: of a file that was cut off the registry tells Redis that length itself.
    """
    compared, unwell = 0, {trouble.digest for trouble in notebook.troubles()}
    for key in cache.keys(DESCRIPTORS):
        digest = key.removeprefix("blobs::")
        size = notebook.size_of(digest)
        if size is None or digest in unwell:
            continue
        told = cache.fields(key)
        compared += 1
        if told and (told.get("size") != str(size) or told.get("digest", digest) != digest):
            observed = f"{key} says digest {told.get('digest', '-')}, size {told.get('size', '-')}; it has {size} bytes"
            notebook.tell([Trouble(Kind.WRONG_DESCRIPTOR, digest, "", place, observed)])
        if most is not None and compared >= most:
            break
    return compared


def links(
    notebook: Notebook,
    walk: Walk,
    cache: Cache,
    place: str,
    knows: Callable[[str], bool],
    most: int | None = None,
) -> int:
    """Ask for one byte of each blob that Redis vouches for and that was not read yet; returns how many were asked.

    `knows` says whether Harbor has a repository. Raises Stopped.
    """
    asked = 0
    vouched: dict[tuple[str, str], bool] = {}

    def units() -> Iterator[tuple[str, str]]:
        nonlocal asked
        for key in cache.keys(LINKS):
            link = _LINK.fullmatch(key)
            if link is None or notebook.is_read(link["digest"], link["repository"]):
                continue
            asked += 1
            yield link["repository"], link["digest"]
            if most is not None and asked >= most:
                return

    def finish(unit: tuple[str, str], found: Found) -> None:
        repository, digest = unit
        if not vouched.pop(unit, False):
            return
        if not cache.fields(f"repository::{repository}::blobs::{digest}"):
            return
        told = cache.fields(f"blobs::{digest}")
        kind = Kind.STALE if knows(repository) else Kind.FOREIGN
        observed = (
            f"it vouches for {told.get('size', '?')} bytes in {repository}, and the registry gives none"
        )
        notebook.tell([Trouble(kind, digest, repository, place, observed)])

    def work(unit: tuple[str, str]) -> Found:
        """404 from all is no trouble here: Redis has forgotten it meanwhile, or never vouched for it."""
        found = walk.first_byte(*unit, Sizes())
        vouched[unit] = any(trouble.kind is Kind.STALE for trouble in found.troubles)
        # What no replica gives is told by `finish`, as Redis's.
        found.troubles = [trouble for trouble in found.troubles if trouble.kind is Kind.NOT_EVERYWHERE]
        return found

    walk.side_by_side(units(), work, finish)
    return asked
