"""What is answered at the door: from the database what is known there, from the registry the rest."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from .... import log
from ....web.response import Response, go_json
from ...version import at_least
from .. import permissions
from ..errors import JSON, bad_request, error, not_found
from ..harbor import Call
from ..records import accessories, artifacts, blobs, manifests, repositories, tags
from ..records.quotas import QuotaExceeded
from ..registry_client import RegistryFailure
from . import access, collected, passage
from .places import Kind, Place, mounted_from, place_of

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_MANIFEST_BYTES = 4 * 1024 * 1024


def answer(call: Call) -> Response:
    """Everything below /v2/. Raises Refused, DatabaseError."""
    place = place_of(call.request.target)
    access.check(call, place)
    method = call.request.method
    match place.kind:
        case Kind.CATALOG if method == "GET":
            return _catalog(call)
        case Kind.TAGS if method == "GET":
            return _tags(call, place)
        case Kind.REFERRERS if method == "GET":
            return _referrers(call, place)
        case Kind.MANIFEST if method in ("GET", "HEAD"):
            return _manifest(call, place)
        case Kind.MANIFEST if method == "PUT":
            return _put_manifest(call, place)
        case Kind.MANIFEST if method == "DELETE":
            return _delete_manifest(call, place)
        case Kind.UPLOAD if method in ("POST", "PUT"):
            return _upload(call, place)
        case Kind.BLOB if method == "HEAD":
            collected.keep(call, place.reference)
    return passage.through(call)


def _catalog(call: Call) -> Response:
    return _listed(call, "repositories", repositories.names(call.database))


def _tags(call: Call, place: Place) -> Response:
    names = tags.names(call.database, place.repository)
    if not names and repositories.by_name(call.database, place.repository) is None:
        raise not_found(f"repository {place.repository} not found")
    return _listed(call, "tags", names, name=place.repository)


def _listed(call: Call, key: str, names: list[str], **more: str) -> Response:
    """Pages of `n` names after `last`, where that is asked for."""
    query = parse_qs(urlsplit(call.request.target).query)
    last, size = query.get("last", [""])[0], query.get("n", [""])[0]
    if size and not size.isdecimal():
        raise bad_request(f"the N is invalid: {size}")
    left = [name for name in names if name > last] if last else names
    page = left[: int(size)] if size else left
    headers = [JSON]
    if len(page) < len(left) and page:
        path = urlsplit(call.request.target).path
        headers.append(("Link", f'<{path}?{urlencode({"last": page[-1], "n": size})}>; rel="next"'))
    return Response(200, f"{go_json(more | {key: page})}\n".encode(), headers)


def _referrers(call: Call, place: Place) -> Response:
    wanted = parse_qs(urlsplit(call.request.target).query).get("artifactType", [""])[0]
    found = accessories.descriptors(call.database, place.repository, place.reference, wanted)
    body = go_json({"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": found})
    headers = [("Content-Type", _INDEX_TYPE), ("X-Total-Count", str(len(found)))]
    if wanted:
        headers.append(("OCI-Filters-Applied", "artifactType"))
    return Response(200, f"{body}\n".encode(), headers)


def _manifest(call: Call, place: Place) -> Response:
    """The registry is asked for the digest, so that a tag means the same with every registry."""
    artifact = _artifact(call, place)
    target = f"/v2/{quote(place.repository)}/manifests/{artifact['digest']}"
    response = passage.through(call, target)
    if response.status == 200 and call.request.method == "GET":
        call.harbor.pulls.add(place.repository, place.reference)
    return response


def _put_manifest(call: Call, place: Place) -> Response:
    call.request.load()
    content = call.request.body
    if len(content) > _MANIFEST_BYTES:
        return error(413, "REQUEST_ENTITY_TOO_LARGE", "the manifest is too large")
    target = ""
    if at_least(2, 15):  # tags are in the database alone
        digest = (
            place.reference if ":" in place.reference else f"sha256:{hashlib.sha256(content).hexdigest()}"
        )
        target = f"/v2/{quote(place.repository)}/manifests/{digest}"
    for part in [*collected.named_in(content), f"sha256:{hashlib.sha256(content).hexdigest()}"]:
        collected.keep(call, part)
    response = passage.through(call, target)
    if response.status != 201:
        return response
    digest = response.header("Docker-Content-Digest") or ""
    try:
        manifest = manifests.read(content, digest, call.request.headers.get("Content-Type", ""))
        artifacts.pushed(
            call.database,
            project_id=_project_id(call, place),
            repository=place.repository,
            manifest=manifest,
            tag="" if ":" in place.reference else place.reference,
            config=_config(call, place, manifest),
        )
    except QuotaExceeded as failure:
        return error(403, "DENIED", str(failure))
    except ValueError as failure:
        raise bad_request(f"invalid manifest: {failure}") from None
    if manifest.subject:
        response.headers.append(("OCI-Subject", manifest.subject))
    return response


def _config(call: Call, place: Place, manifest: manifests.Manifest) -> bytes | None:
    """What the configuration says, which the API shows; where it cannot be had, it shows nothing."""
    if not manifest.config_digest:
        return None
    target = f"/v2/{quote(place.repository)}/blobs/{manifest.config_digest}"
    try:
        reply = call.harbor.registry.send("GET", target)
    except RegistryFailure as failure:
        log.error(f"failed to read the configuration of {place.repository}: {failure}")
        return None
    return reply.body if reply.status == 200 else None


def _delete_manifest(call: Call, place: Place) -> Response:
    """By digest only. The registry keeps it until the next garbage collection."""
    if ":" not in place.reference:
        return error(
            400, "UNSUPPORTED", f"unsupported digest {place.reference}: invalid checksum digest format"
        )
    artifacts.delete(call.database, _artifact(call, place))
    return Response(202)


def _upload(call: Call, place: Place) -> Response:
    """The beginning or the end of an upload. A blob that is complete belongs to the project from then on."""
    offset = _offset(call)
    if digest := parse_qs(urlsplit(call.request.target).query).get("digest", [""])[0]:
        collected.keep(call, digest)
    response = passage.through(call)
    if response.status != 201:
        return response
    digest = response.header("Docker-Content-Digest") or ""
    try:
        size = _mounted_size(call) if place.reference == "" else offset + call.sent_bytes
        blobs.uploaded(call.database, _project_id(call, place), blobs.Blob(digest, size))
    except QuotaExceeded as failure:
        return error(403, "DENIED", str(failure))
    return response


def _offset(call: Call) -> int:
    """The bytes that an upload has already: the registry writes them into _state, behind 32 bytes of signature."""
    state = parse_qs(urlsplit(call.request.target).query).get("_state", [""])[0]
    try:
        document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))[32:])
        return int(document["Offset"])
    except (ValueError, KeyError, TypeError):
        return 0


def _mounted_size(call: Call) -> int:
    """Of a blob that came by a mount, or all at once with the POST."""
    digest, _ = mounted_from(call.request.target)
    row = blobs.by_digest(call.database, digest) if digest else None
    return int(row["size"]) if row else call.sent_bytes


def _artifact(call: Call, place: Place) -> dict[str, Any]:
    artifact = artifacts.by_reference(call.database, place.repository, place.reference)
    if artifact is None:
        if repositories.by_name(call.database, place.repository) is None:
            raise not_found(f"repository {place.repository} not found")
        raise not_found(artifacts.not_found(place.repository, place.reference))
    return artifact


def _project_id(call: Call, place: Place) -> int:
    project = permissions.project_named(call.database, place.project)
    if project is None:
        raise not_found(f"project {place.project} not found")
    return int(project["project_id"])
