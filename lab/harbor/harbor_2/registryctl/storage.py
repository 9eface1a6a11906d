"""The registry's storage: a folder, laid out as distribution's filesystem driver does it."""

import re
import shutil
from pathlib import Path

_DIGEST = re.compile(r"(?P<algorithm>[a-z0-9]+):(?P<hex>[0-9a-f]{32,})")
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")


class NotStored(Exception):
    """There is no such thing."""


class NotADigest(Exception):
    pass


class Storage:
    """What stands here raises OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root / "docker" / "registry" / "v2"

    def delete_blob(self, digest: str) -> None:
        """Raises NotStored, NotADigest."""
        algorithm, number = _parts(digest)
        _delete(self._root / "blobs" / algorithm / number[:2] / number)

    def delete_manifest(self, repository: str, digest: str) -> None:
        """The repository's link to it, with the tags that point there. Raises NotStored, NotADigest."""
        if not _NAME.fullmatch(repository):
            raise NotStored(repository)
        algorithm, number = _parts(digest)
        manifests = self._root / "repositories" / repository / "_manifests"
        for tag in (manifests / "tags").glob("*"):
            current = tag / "current" / "link"
            if current.exists() and current.read_text().strip() == digest:
                shutil.rmtree(tag)
            else:
                shutil.rmtree(tag / "index" / algorithm / number, ignore_errors=True)
        _delete(manifests / "revisions" / algorithm / number)


def _parts(digest: str) -> tuple[str, str]:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise NotADigest(digest)
    return match["algorithm"], match["hex"]


def _delete(folder: Path) -> None:
    if not folder.exists():
        raise NotStored(folder.name)
    shutil.rmtree(folder)
