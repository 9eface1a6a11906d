"""What a manifest says that an image is made of. Sources: OCI image specification 1.1; docker schema 2 and 1."""

import json
from dataclasses import dataclass
from typing import Any

_ELSEWHERE = ("foreign", "nondistributable")
"""Layers that come from elsewhere: no registry has them."""


@dataclass(frozen=True)
class Part:
    """A blob (`size` None: not said), or another manifest of an index."""

    digest: str
    size: int | None
    is_manifest: bool = False


def parts_of(manifest: bytes) -> list[Part]:
    """Configuration, layers, manifests of an index; each once. Raises ValueError where it is no manifest."""
    document = json.loads(manifest)
    if not isinstance(document, dict):
        raise ValueError("no manifest")
    found = [
        *(_part(each) for each in (document.get("config"),) if each),
        *(_part(each) for each in [*(document.get("layers") or ()), *(document.get("blobs") or ())]),
        *(_part(each, is_manifest=True) for each in document.get("manifests") or ()),
        *(Part(str(each["blobSum"]), None) for each in document.get("fsLayers") or ()),
    ]
    return list({part.digest: part for part in found if part}.values())


def _part(descriptor: Any, *, is_manifest: bool = False) -> Part | None:
    if not isinstance(descriptor, dict) or "digest" not in descriptor:
        raise ValueError("a descriptor without a digest")
    if any(word in str(descriptor.get("mediaType", "")) for word in _ELSEWHERE):
        return None
    size = descriptor.get("size")
    return Part(str(descriptor["digest"]), size if isinstance(size, int) else None, is_manifest)
