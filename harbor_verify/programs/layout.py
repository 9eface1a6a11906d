"""Folders that hold an image: the layout of the OCI image specification, and skopeo's `dir:`."""

import hashlib
import json
from pathlib import Path

from harbor_verify.clients.artifact import OCI, Artifact
from harbor_verify.clients.image import descriptors_of, digest_of
from harbor_verify.errors import WrongContent

TAG = "pushed"
"""Under which an image lies in a layout that we write."""
_NAME = "org.opencontainers.image.ref.name"


def write(folder: Path, artifact: Artifact) -> None:
    """An image as an OCI layout, with TAG for its name."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for content in (*artifact.blobs, artifact.content):
        (blobs / _hex(digest_of(content))).write_bytes(content)
    entry = {**artifact.described, "annotations": {_NAME: TAG}}
    index = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": [entry]}
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_text(json.dumps(index))


def digest_in_layout(folder: Path) -> str:
    """The digest of the only manifest in an OCI layout, after a look at the bytes of all that it names.

    Raises WrongContent.
    """
    try:
        index = json.loads((folder / "index.json").read_bytes())
        [digest] = {entry["digest"] for entry in index["manifests"]}
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise WrongContent(f"what came is no OCI layout of one manifest: {wrong}") from wrong
    blobs = folder / "blobs" / "sha256"
    _require_blobs(blobs, _read(blobs / _hex(digest), digest))
    return digest


def digest_in_dir(folder: Path) -> str:
    """The same of what skopeo copies to `dir:`."""
    manifest = _read(folder / "manifest.json")
    _require_blobs(folder, manifest)
    return digest_of(manifest)


def _require_blobs(folder: Path, manifest: bytes) -> None:
    for descriptor in descriptors_of(manifest):
        digest, size_bytes = descriptor["digest"], descriptor["size"]
        came, length = _digest_of_file(folder / _hex(digest))
        if (came, length) != (digest, size_bytes):
            raise WrongContent(f"{length} bytes of digest {came}, not {size_bytes} of {digest}")


def _read(file: Path, digest: str = "") -> bytes:
    try:
        content = file.read_bytes()
    except OSError as missing:
        raise WrongContent(f"what came lacks its manifest: {missing}") from missing
    if digest and digest_of(content) != digest:
        raise WrongContent(f"a manifest of digest {digest_of(content)}, not {digest}")
    return content


def _digest_of_file(file: Path) -> tuple[str, int]:
    try:
        with file.open("rb") as content:
            hashed = hashlib.file_digest(content, "sha256")
            return f"sha256:{hashed.hexdigest()}", content.tell()
    except OSError as missing:
        raise WrongContent(f"what came lacks a part: {missing}") from missing


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
