"""A busybox image made on the spot: nothing has to be pulled, and no two runs push the same digest."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from harbor_verify.errors import NeedMissing

PLACES = (Path("/bin/busybox"), Path("/usr/lib/busybox/busybox-static"))
APPLETS = ("sh", "cat", "ls", "sleep", "true")


def busybox_layer(message: str) -> bytes:
    """A tar archive with busybox and /harbor-verify, which holds `message`. Raises NeedMissing without a busybox."""
    return archive(
        [
            ("bin/busybox", _busybox(), 0o755),
            *((f"bin/{name}", "busybox", 0o777) for name in APPLETS),
            _note(message),
        ]
    )


def message_layer(message: str) -> bytes:
    """A tar archive with nothing but /harbor-verify."""
    return archive([_note(message)])


def _note(message: str) -> tuple[str, bytes, int]:
    return "harbor-verify", message.encode() + b"\n", 0o644


def _busybox() -> bytes:
    for place in PLACES:
        if place.exists() and _is_static(binary := place.read_bytes()):
            return binary
    raise NeedMissing(
        f"no statically linked busybox at {' or '.join(map(str, PLACES))}: "
        "install busybox-static, or name an image to push with --image"
    )


def _is_static(binary: bytes) -> bool:
    """An ELF program without an interpreter needs nothing else in its image."""
    return binary.startswith(b"\x7fELF") and b"/ld-" not in binary[:4096]


def archive(entries: Iterable[tuple[str, bytes | str, int]]) -> bytes:
    """A tar of (place, content, mode); content that is text is a symbolic link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for place, content, mode in entries:
            entry = tarfile.TarInfo(place)
            entry.mode = mode
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
