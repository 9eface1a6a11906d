"""Blobs that garbage is being collected of: whoever asks for a marked one keeps it, and one in deletion is not there.

Source: Harbor, middleware/blob. One that was left in deletion is refused as long as the time window, counted from when
that began; after it the next who asks frees it, is refused once more, and may then send it again.
"""

import json
from typing import Any

from ..errors import not_found
from ..harbor import Call
from ..records import blobs
from ..running import TIME_WINDOW_HOURS

_DELETING = "deleting"


def keep(call: Call, digest: str) -> None:
    """Have it outlive a collection that has not taken it yet. Raises Refused with 404 for one that is in deletion."""
    status = blobs.touch(call.database, digest, TIME_WINDOW_HOURS)
    if status == _DELETING:
        raise not_found(f"the asking blob is in GC, mark it as non existing: {digest}")


def named_in(manifest: bytes) -> list[str]:
    """The digests of its configuration and layers; nothing where it is no manifest."""
    try:
        document: Any = json.loads(manifest)
        parts = [document.get("config"), *(document.get("layers") or ())]
        return [str(part["digest"]) for part in parts if part]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
