"""The registry's storage, laid out as distribution's drivers do it: in a folder, or in a bucket."""

import re
import shutil
from pathlib import Path
from typing import Protocol

from ..bucket import Bucket

_DIGEST = re.compile(r"(?P<algorithm>[a-z0-9]+):(?P<hex>[0-9a-f]{32,})")
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TOP = "docker/registry/v2"


class NotStored(Exception):
    """There is no such thing."""


class NotADigest(Exception):
    pass


class Files(Protocol):
    """Where the registry keeps files; places are relative, with slashes. What stands here raises OSError."""

    def names(self, folder: str) -> list[str]:
        """What is directly in a folder; nothing where there is none."""
        ...

    def read(self, place: str) -> str | None:
        """What is in a file; None when there is none."""
        ...

    def remove(self, folder: str) -> bool:
        """A folder with all that is in it; whether there was one."""
        ...


class Folder:
    """Files are files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        return [each.name for each in (self._root / folder).glob("*")]

    def read(self, place: str) -> str | None:
        file = self._root / place
        return file.read_text() if file.exists() else None

    def remove(self, folder: str) -> bool:
        if not (self._root / folder).exists():
            return False
        shutil.rmtree(self._root / folder)
        return True


class Objects:
    """Files are objects of a bucket; a folder is what their keys begin with."""

    def __init__(self, bucket: Bucket, root: str) -> None:
        """`root`: the driver's rootdirectory."""
        self._bucket = bucket
        self._prefix = f"{root.strip('/')}/".lstrip("/")

    def names(self, folder: str) -> list[str]:
        prefix = f"{self._prefix}{folder}/"
        return sorted({key.removeprefix(prefix).partition("/")[0] for key in self._bucket.keys(prefix)})

    def read(self, place: str) -> str | None:
        content = self._bucket.read(f"{self._prefix}{place}")
        return None if content is None else content.decode()

    def remove(self, folder: str) -> bool:
        keys = list(self._bucket.keys(f"{self._prefix}{folder}/"))
        for key in keys:
            self._bucket.delete(key)
        return bool(keys)


class Storage:
    """What stands here raises OSError."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def delete_blob(self, digest: str) -> None:
        """Raises NotStored, NotADigest."""
        algorithm, number = _parts(digest)
        self._delete(f"{_TOP}/blobs/{algorithm}/{number[:2]}/{number}")

    def delete_manifest(self, repository: str, digest: str) -> None:
        """The repository's link to it, with the tags that point there. Raises NotStored, NotADigest."""
        if not _NAME.fullmatch(repository):
            raise NotStored(repository)
        algorithm, number = _parts(digest)
        manifests = f"{_TOP}/repositories/{repository}/_manifests"
        for name in self._files.names(f"{manifests}/tags"):
            tag = f"{manifests}/tags/{name}"
            if (self._files.read(f"{tag}/current/link") or "").strip() == digest:
                self._files.remove(tag)
            else:
                self._files.remove(f"{tag}/index/{algorithm}/{number}")
        self._delete(f"{manifests}/revisions/{algorithm}/{number}")

    def _delete(self, folder: str) -> None:
        if not self._files.remove(folder):
            raise NotStored(folder.rpartition("/")[2])


def _parts(digest: str) -> tuple[str, str]:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise NotADigest(digest)
    return match["algorithm"], match["hex"]
