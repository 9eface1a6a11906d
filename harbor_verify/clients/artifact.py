"""What clients push today: OCI images, indexes of several platforms, artifacts that refer to an image. Pure: no I/O.

Sources: OCI image specification 1.1; docker image manifest version 2, schema 2.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harbor_verify.clients.image import descriptor, digest_of, layer_of


@dataclass(frozen=True)
class Format:
    """The media types of one family."""

    name: str
    manifest: str
    index: str
    configuration: str
    layer: str


OCI = Format(
    name="OCI",
    manifest="application/vnd.oci.image.manifest.v1+json",
    index="application/vnd.oci.image.index.v1+json",
    configuration="application/vnd.oci.image.config.v1+json",
    layer="application/vnd.oci.image.layer.v1.tar+gzip",
)
DOCKER = Format(
    name="docker schema 2",
    manifest="application/vnd.docker.distribution.manifest.v2+json",
    index="application/vnd.docker.distribution.manifest.list.v2+json",
    configuration="application/vnd.docker.container.image.v1+json",
    layer="application/vnd.docker.image.rootfs.diff.tar.gzip",
)
ACCEPT = ", ".join((OCI.index, OCI.manifest, DOCKER.index, DOCKER.manifest))
"""What a client of today says that it takes."""

_PROVENANCE_LAYER = "application/vnd.in-toto+json"
_EMPTY_TYPE, _EMPTY = "application/vnd.oci.empty.v1+json", b"{}"

Descriptor = dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """A manifest as its bytes, with all that it is made of.

    `blobs` are its configuration and layers, `children` the manifests that an index names.
    """

    media_type: str
    content: bytes
    blobs: tuple[bytes, ...] = ()
    children: tuple["Artifact", ...] = ()
    platform: str = ""
    """`os/architecture`, for messages; empty for an index."""

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def described(self) -> Descriptor:
        """How others refer to it."""
        return descriptor(self.media_type, self.content)

    def __iter__(self) -> Iterator["Artifact"]:
        """Its children first, as they have to be pushed, and itself."""
        for child in self.children:
            yield from child
        yield self


def image(
    form: Format, *, run_id: str, architecture: str = "amd64", os: str = "linux", provenance: bool = False
) -> Artifact:
    """An image of one layer that nobody has seen before. `provenance`: its layer is what a builder says of another."""
    if provenance:
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "subject": [],
            "nonce": secrets.token_hex(8),
        }
        layer = json.dumps(statement).encode()
        uncompressed, layer_type = digest_of(layer), _PROVENANCE_LAYER
    else:
        layer, uncompressed = layer_of(secrets.token_bytes(512))
        layer_type = form.layer
    configuration = _document(
        {
            "architecture": architecture,
            "os": os,
            "config": {"Labels": {"harbor-verify.run": run_id}},
            "rootfs": {"type": "layers", "diff_ids": [uncompressed]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": form.manifest,
        "config": descriptor(form.configuration, configuration),
        "layers": [descriptor(layer_type, layer)],
    }
    return Artifact(
        form.manifest, _document(manifest), (configuration, layer), platform=f"{os}/{architecture}"
    )


def index(form: Format, *, run_id: str) -> Artifact:
    """An index of amd64 and arm64; an OCI one also of what a builder says of the first (unknown/unknown)."""
    images = [image(form, run_id=run_id, architecture=architecture) for architecture in ("amd64", "arm64")]
    entries = [
        {**each.described, "platform": {"architecture": architecture, "os": "linux"}}
        for each, architecture in zip(images, ("amd64", "arm64"), strict=True)
    ]
    if form is OCI:
        said = image(form, run_id=run_id, architecture="unknown", os="unknown", provenance=True)
        about = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": images[0].digest,
        }
        platform = {"architecture": "unknown", "os": "unknown"}
        entries.append({**said.described, "annotations": about, "platform": platform})
        images.append(said)
    document = {"schemaVersion": 2, "mediaType": form.index, "manifests": entries}
    return Artifact(form.index, _document(document), children=tuple(images))


def referrer(subject: Artifact, artifact_type: str) -> Artifact:
    """An artifact of this type that refers to `subject`: a signature, a bill of materials."""
    layer = secrets.token_bytes(64)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "artifactType": artifact_type,
        "config": descriptor(_EMPTY_TYPE, _EMPTY),
        "layers": [descriptor("application/octet-stream", layer)],
        "subject": subject.described,
    }
    return Artifact(OCI.manifest, _document(manifest), (_EMPTY, layer))


def referrers_index(referrers: Sequence[tuple[Artifact, str]]) -> Artifact:
    """What a client itself keeps under `referrers_tag` where the registry lists no referrers: (artifact, its type)."""
    entries = [{**each.described, "artifactType": artifact_type} for each, artifact_type in referrers]
    return Artifact(OCI.index, _document({"schemaVersion": 2, "mediaType": OCI.index, "manifests": entries}))


def referrers_tag(subject: Artifact) -> str:
    """The tag that stands for the referrers of a manifest (OCI distribution specification, referrers tag schema)."""
    return subject.digest.replace(":", "-")


def _document(content: dict[str, Any]) -> bytes:
    """JSON as docker writes it, with three spaces: whoever reads and writes it anew changes its bytes."""
    return json.dumps(content, indent=3).encode()
