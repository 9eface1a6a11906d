"""What lies in a registry's volume, as `find` and `stat` in its container say: for images on a file system.

Source: distribution, ROOT/docker/registry/v2/blobs/sha256/XX/HEX/data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harbor_verify.audit.kinds import Kind, Trouble
from harbor_verify.audit.records import WINDOW_S
from harbor_verify.errors import CannotTell

PREFIXES = tuple(f"{number:02x}" for number in range(256))
Run = Callable[[list[str]], str]
"""A command in the container → what it prints. Raises CannotTell, TargetUnreachable."""
_SCRIPT = """cd "$0/docker/registry/v2/blobs/sha256" 2>/dev/null || { echo none; exit 0; }
for prefix in "$@"; do
  if [ -d "$prefix" ]; then find "$prefix" -name data -type f -exec stat -c '%s %Y %n' '{}' + || exit 1; fi
done
date +%s"""


@dataclass(frozen=True)
class File:
    """A blob in the storage. `age_s`: since it was written, by the container's own clock."""

    digest: str
    size: int
    age_s: float


def files(run: Run, root: str, prefixes: tuple[str, ...]) -> list[File]:
    """The blobs whose digest begins so. Raises CannotTell, TargetUnreachable."""
    lines = run(["sh", "-c", _SCRIPT, root, *prefixes]).splitlines()
    if lines == ["none"]:
        return []
    try:
        now_s, found = int(lines[-1]), []
        for line in lines[:-1]:
            size, written_s, path = line.split(" ", 2)
            digest = f"sha256:{path.split('/')[1]}"
            found.append(File(digest, int(size), now_s - int(written_s)))
    except (ValueError, IndexError) as wrong:
        raise CannotTell(f"what find and stat print in the container is not understood: {wrong}") from wrong
    return found


def orphans(found: list[File], recorded: Callable[[list[str]], set[str]], place: str) -> Iterator[Trouble]:
    """Files that no row of the database is about, and that are too old to belong to a push. Raises StoreRefused."""
    old = [file for file in found if file.age_s >= WINDOW_S]
    known = recorded([file.digest for file in old]) if old else set()
    for file in old:
        if file.digest not in known:
            observed = f"{file.size} bytes, written {file.age_s / 3600:.0f} h ago"
            yield Trouble(Kind.ORPHAN, file.digest, "", place, observed)
