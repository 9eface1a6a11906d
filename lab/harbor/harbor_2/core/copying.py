"""Copying an artifact into another repository: the registry mounts its blobs there, nothing is sent again."""

from urllib.parse import quote

from ..database import Row
from .harbor import Harbor
from .records import artifacts, manifests
from .registry_client import RegistryClient, RegistryFailure


def copy_artifact(harbor: Harbor, artifact: Row, project_id: int, target: str, tag: str) -> None:
    """Into the repository of the whole name `target`; with the tag, if there is one.

    Raises QuotaExceeded, RegistryFailure.
    """
    source = artifact["repository_name"]
    for child in artifacts.children(harbor.database, artifact["id"]):
        row = artifacts.by_reference(harbor.database, source, child["child_digest"])
        if row is not None:
            copy_artifact(harbor, row, project_id, target, "")
    content = manifest_content(harbor.registry, source, artifact["digest"], artifact["manifest_media_type"])
    manifest = manifests.read(content, artifact["digest"], artifact["manifest_media_type"])
    for blob in manifest.blobs:
        _mount(harbor.registry, source, target, blob.digest)
    reply = harbor.registry.send(
        "PUT",
        f"/v2/{quote(target)}/manifests/{artifact['digest']}",
        {"Content-Type": artifact["manifest_media_type"]},
        content,
    )
    if reply.status != 201:
        raise RegistryFailure(f"the registry answered {reply.status} to the manifest of {target}")
    config = blob_content(harbor.registry, source, manifest.config_digest) if manifest.config_digest else None
    artifacts.pushed(
        harbor.database, project_id=project_id, repository=target, manifest=manifest, tag=tag, config=config
    )


def manifest_content(registry: RegistryClient, repository: str, digest: str, media_type: str) -> bytes:
    """Raises RegistryFailure, also where the registry has none."""
    return _get(registry, f"/v2/{quote(repository)}/manifests/{digest}", media_type)


def blob_content(registry: RegistryClient, repository: str, digest: str) -> bytes:
    """For small ones. Raises RegistryFailure, also where the registry has none."""
    return _get(registry, f"/v2/{quote(repository)}/blobs/{digest}", "*/*")


def _get(registry: RegistryClient, target: str, accept: str) -> bytes:
    reply = registry.send("GET", target, {"Accept": accept})
    if reply.status != 200:
        raise RegistryFailure(f"the registry answered {reply.status} to GET {target}")
    return reply.body


def _mount(registry: RegistryClient, source: str, target: str, digest: str) -> None:
    query = f"mount={quote(digest)}&from={quote(source, safe='')}"
    reply = registry.send("POST", f"/v2/{quote(target)}/blobs/uploads/?{query}", {"Content-Length": "0"})
    if reply.status != 201:
        raise RegistryFailure(f"the registry answered {reply.status} to the mount of {digest} from {source}")
