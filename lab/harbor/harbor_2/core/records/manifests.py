"""What a manifest says about the artifact that it describes."""

import json
from dataclasses import dataclass, field
from typing import Any

from .blobs import Blob

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_ICON = "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06"
_CHART_ICON = "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9128ed3ef34b0df05518b"


@dataclass(frozen=True)
class Manifest:
    """`media_type` is that of the configuration; `children` are the digests that an index refers to."""

    digest: str
    manifest_media_type: str
    media_type: str
    type: str
    icon: str
    blobs: list[Blob]
    """Those it refers to; not the manifest itself."""
    size: int
    """Of the manifest itself, in bytes."""
    config_digest: str = ""
    children: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """By digest: the platform, where one is given."""
    annotations: dict[str, str] | None = None
    subject: str = ""
    """The digest that it refers to."""
    artifact_type: str = ""


def read(content: bytes, digest: str, content_type: str) -> Manifest:
    """Raises ValueError when it is no manifest."""
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("a manifest is a JSON object")
    media_type = content_type.partition(";")[0].strip() or document.get("mediaType", "")
    annotations = document.get("annotations") or None
    subject = (document.get("subject") or {}).get("digest", "")
    if media_type in INDEXES:
        children = {entry["digest"]: entry.get("platform") for entry in document.get("manifests") or []}
        return Manifest(
            digest,
            media_type,
            media_type,
            "IMAGE",
            _ICON,
            [],
            len(content),
            "",
            children,
            annotations,
            subject,
            str(document.get("artifactType", media_type)),
        )
    config = document.get("config") or {}
    config_media_type = str(config.get("mediaType", media_type))
    entries = [entry for entry in [config, *(document.get("layers") or [])] if entry.get("digest")]
    blobs = {
        entry["digest"]: Blob(entry["digest"], int(entry.get("size", 0)), entry.get("mediaType", ""))
        for entry in entries
    }
    return Manifest(
        digest,
        media_type,
        config_media_type,
        _type(config_media_type),
        _CHART_ICON if config_media_type == _CHART_CONFIG else _ICON,
        list(blobs.values()),
        len(content),
        config.get("digest", ""),
        {},
        annotations,
        subject,
        str(document.get("artifactType", config_media_type)),
    )


def attributes(manifest: Manifest, config: bytes | None) -> dict[str, Any]:
    """What Harbor shows of an image's configuration."""
    try:
        document = json.loads(config) if config else {}
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    if manifest.media_type == _CHART_CONFIG:
        return document
    if manifest.media_type not in _IMAGE_CONFIGS:
        return {}
    return {
        name: document.get(name, {} if name == "config" else "")
        for name in ("architecture", "author", "config", "created", "os")
    }


def _type(config_media_type: str) -> str:
    if config_media_type in _IMAGE_CONFIGS:
        return "IMAGE"
    return "CHART" if config_media_type == _CHART_CONFIG else "UNKNOWN"
