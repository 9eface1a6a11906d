"""Images that somebody gives: Harbor's own programs in the place of the lab's stand-in.

What is given is what `docker save` writes, or the archive of Harbor's release, which holds such a one. Parts that are
not in it stay the stand-in's. They meet a database of their own, which is empty: real programs and the stand-in would
each take the other's for a broken migration.
"""

import gzip
import hashlib
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

from lab.deployment import images
from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind
from lab.errors import LabError
from lab.given import text
from lab.kubernetes import nodes
from lab.profiles import Profile
from lab.stores import postgresql

STAND_IN = "stand-in"
"""In the place of a file: nobody's images but the lab's."""
_PREFIX = "given"


def keep(profile: Profile, file: Path) -> None:
    """Let the next deployment run the programs of this archive. Raises LabError where it is no such archive."""
    if not file.exists():
        raise LabError(f"there is no file {file}")
    images.FOLDER.mkdir(parents=True, exist_ok=True)
    partial = images.FOLDER / f"{_PREFIX}.partial"
    _unpack(file, partial)
    named = _named(partial, file)
    with partial.open("rb") as content:
        key = hashlib.file_digest(content, "sha256").hexdigest()[:16]
    for old in images.FOLDER.glob(f"{_PREFIX}-*.tar"):
        old.unlink()
    kept = partial.rename(images.FOLDER / f"{_PREFIX}-{key}.tar")
    profile.folder.mkdir(parents=True, exist_ok=True)
    _note(profile).write_text(
        json.dumps({"from": file.name, "archive": str(kept), "names": named, "key": key})
    )


def forget(profile: Profile) -> None:
    """Let the next deployment run the lab's stand-in."""
    _note(profile).unlink(missing_ok=True)


def ensure(profile: Profile) -> None:
    """Load the programs into every node. Raises CommandFailed."""
    archive = given(profile)
    if archive:
        for node in nodes.ALL.values():
            images.load(node, Path(archive["archive"]))


def change(profile: Profile, objects: list[Object]) -> None:
    """Let containers run what was given in the place of what has the same name."""
    archive = given(profile)
    if not archive:
        return
    for workload in of_kind(objects, *WORKLOADS):
        pod = workload["spec"]["template"]["spec"]
        for container in [*(pod.get("initContainers") or []), *pod["containers"]]:
            container["image"] = archive["names"].get(
                images.repository(container["image"]), container["image"]
            )
    for variable in text.named(objects, "POSTGRESQL_DATABASE"):
        if variable.value == postgresql.SECOND_DATABASE:
            continue  # of a Harbor beside the one that is judged
        variable.value = postgresql.OWN_DATABASE


def version(profile: Profile) -> str:
    """Tells one archive from another; empty: none was given."""
    archive = given(profile)
    return archive["key"] if archive else ""


def remark(profile: Profile) -> str:
    """Whose programs Harbor's parts are, for readers of a report."""
    archive = given(profile)
    if not archive:
        return "Harbor's programs are the lab's stand-in, not Harbor's own"
    names = ", ".join(sorted(archive["names"].values()))
    return f"Harbor's programs are those of {archive['from']} ({names}); what is not among them is the lab's stand-in"


def given(profile: Profile) -> dict[str, Any] | None:
    """What was given: `from`, `archive`, `names`, `key`; None: nothing."""
    note = _note(profile)
    return json.loads(note.read_text()) if note.exists() else None


def _note(profile: Profile) -> Path:
    return profile.folder / "programs.json"


def _unpack(file: Path, target: Path) -> None:
    """Write the archive of images, without compression, to `target`."""
    try:
        with tarfile.open(file) as tar:
            names = tar.getnames()
            inner = [name for name in names if name.endswith((".tar", ".tar.gz", ".tgz"))]
            if "manifest.json" in names:
                _copy(file, target)
            elif len(inner) == 1:
                with target.with_suffix(".inner").open("wb") as copy:
                    shutil.copyfileobj(tar.extractfile(inner[0]), copy)  # type: ignore[arg-type]
                _copy(target.with_suffix(".inner"), target)
                target.with_suffix(".inner").unlink()
            else:
                raise LabError(
                    f"{file} holds neither images, as docker save writes them, nor one archive of them"
                )
    except (tarfile.TarError, OSError, EOFError) as wrong:
        raise LabError(f"{file} cannot be read as an archive of images: {wrong}") from wrong


def _copy(file: Path, target: Path) -> None:
    with file.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(file) if compressed else file.open("rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)


def _named(archive: Path, file: Path) -> dict[str, str]:
    """Full names of its images by the last part of the name, those that play a part of Harbor."""
    with tarfile.open(archive) as tar:
        manifest = tar.extractfile("manifest.json")
        entries = json.load(manifest) if manifest else []
    tags = [tag for entry in entries for tag in entry.get("RepoTags") or []]
    named = {images.repository(tag): tag for tag in tags if images.repository(tag) in images.PARTS}
    if not named:
        raise LabError(
            f"{file} has no image of a part of Harbor ({', '.join(sorted(images.PARTS))}); it has: "
            f"{', '.join(sorted(tags)) or 'none with a name'}"
        )
    return named
