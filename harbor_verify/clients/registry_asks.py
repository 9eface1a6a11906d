"""What clients of today ask of a registry beyond pushing and pulling a small image, as functions on a `Registry`.

Not for a BackendRegistry: it does not notice what is pushed here, and would not hand it over.
All raise NoAnswer and UnexpectedAnswer; what compares bytes raises WrongContent. Source, unless said: OCI
distribution specification 1.1.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from harbor_verify.clients.artifact import ACCEPT, OCI, Artifact
from harbor_verify.clients.http import document, expect, summary
from harbor_verify.clients.image import descriptors_of, digest_of
from harbor_verify.clients.large_content import LargeContent
from harbor_verify.clients.registry import PULL, PUSH, Registry, Upload, place_of
from harbor_verify.errors import AnswerError, NoAnswer, TypeRefused, UnexpectedAnswer, WrongContent

_UNKNOWN_TYPE = {"MANIFEST_INVALID", "UNSUPPORTED"}
_PIECE_BYTES = 256 * 1024
_AT_ONCE = 4
"""Blobs of one artifact that are sent at the same time."""
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
OCTETS = {"Content-Type": "application/octet-stream"}


def push(registry: Registry, artifact: Artifact, repository: str, tag: str = "") -> None:
    """Push all that an artifact is made of, side by side as docker does, then its manifest; by its digest where there
    is no tag.

    Raises TypeRefused where the registry does not know one of its types.
    """
    for each in artifact:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            uploads = [pool.submit(_push_blob, registry, repository, blob) for blob in each.blobs]
        for upload in uploads:
            upload.result()
        put_manifest(registry, each, repository, tag if each is artifact and tag else each.digest)


def _push_blob(registry: Registry, repository: str, blob: bytes) -> None:
    push_whole(registry, registry.begin_upload(repository), blob)


@contextmanager
def tagged(registry: Registry, artifact: Artifact, repository: str, tag: str) -> Iterator[None]:
    """While this lasts the tag may be that of an index; in the end it is that of its first image.

    The first Harbors ask for a plain manifest when they delete a tag, get that of the first image, and delete that one:
    the tag of an index stays, and with it the repository and the project.
    """
    try:
        yield
    finally:
        with suppress(AnswerError):
            put_manifest(registry, artifact.children[0], repository, tag)


def put_manifest(
    registry: Registry, artifact: Artifact, repository: str, reference: str
) -> requests.Response:
    """PUT one manifest. Raises TypeRefused, and WrongContent when another digest is acknowledged."""
    answer = registry.ask(
        "PUT",
        f"/v2/{repository}/manifests/{reference}",
        repository,
        PUSH,
        data=artifact.content,
        headers={"Content-Type": artifact.media_type},
    )
    if answer.status_code == 415 or (answer.status_code == 400 and _codes(answer) & _UNKNOWN_TYPE):
        raise TypeRefused(summary(answer), status=answer.status_code)
    expect(answer, 201)
    digest = answer.headers.get("Docker-Content-Digest", "")
    if digest != artifact.digest:
        raise WrongContent(f"{summary(answer)} acknowledges {digest or 'no digest'}, not {artifact.digest}")
    return answer


def manifest(registry: Registry, method: str, repository: str, reference: str) -> requests.Response:
    """GET or HEAD of a manifest of any type. Raises UnexpectedAnswer unless it is a 200."""
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
    path = f"/v2/{repository}/manifests/{reference}"
    return expect(registry.ask(method, path, repository, PULL, headers=headers), 200)


def require_same(registry: Registry, artifact: Artifact, repository: str, tag: str) -> None:
    """All of an artifact comes back as it was pushed: by tag and by digest, with its media type, and every blob.

    Raises WrongContent.
    """
    require_same_manifest(registry, artifact, repository, tag)
    for each in artifact:
        require_same_manifest(registry, each, repository, each.digest)
        for blob in each.blobs:
            registry.blob(repository, digest_of(blob))


def require_same_manifest(registry: Registry, artifact: Artifact, repository: str, reference: str) -> None:
    """A manifest comes back byte for byte, with its media type. Raises WrongContent."""
    answer = manifest(registry, "GET", repository, reference)
    place = f"GET {answer.request.path_url}"
    if answer.content != artifact.content:
        raise WrongContent(
            f"{place} → {len(answer.content)} bytes of digest {digest_of(answer.content)[:19]}, "
            f"not {len(artifact.content)} of {artifact.digest[:19]}{_encoded_anew(answer.content, artifact)}"
        )
    media_type = media_type_of(answer)
    if media_type != artifact.media_type:
        raise WrongContent(f"{place} → Content-Type {media_type or 'none'}, not {artifact.media_type}")


def media_type_of(answer: requests.Response) -> str:
    """Without parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()


def mount(registry: Registry, repository: str, digest: str, source: str = "") -> Upload | None:
    """Ask for a blob of another repository; None: it was mounted, else an upload has begun in its place.

    Without a `source` from whichever has it (an anonymous mount). Raises UnexpectedAnswer.
    """
    query = urlencode({"mount": digest} | ({"from": source} if source else {}))
    path = f"/v2/{repository}/blobs/uploads/?{query}"
    answer = expect(registry.ask("POST", path, repository, PUSH, reads=source), 201, 202)
    return None if answer.status_code == 201 else Upload(repository, place_of(answer))


def push_at_once(registry: Registry, repository: str, content: bytes) -> None:
    """One POST with the whole blob. Where that only begins an upload (202, allowed), a PUT brings the blob."""
    path = f"/v2/{repository}/blobs/uploads/?{urlencode({'digest': digest_of(content)})}"
    answer = expect(registry.ask("POST", path, repository, PUSH, data=content, headers=OCTETS), 201, 202)
    if answer.status_code == 202:
        push_whole(registry, Upload(repository, place_of(answer)), content)


def push_whole(registry: Registry, upload: Upload, content: bytes | LargeContent) -> None:
    """PUT: the whole blob, with its length, and the upload's end."""
    digest = content.digest if isinstance(content, LargeContent) else digest_of(content)
    expect(end(registry, upload, digest, content), 201)


def push_in_pieces(registry: Registry, upload: Upload, content: LargeContent) -> None:
    """PATCH without a length (Transfer-Encoding: chunked), then the upload's end, as docker does."""
    pieces = iter(content)
    answer = registry.ask("PATCH", upload.place, upload.repository, PUSH, data=pieces, headers=OCTETS)
    registry.finish(after(expect(answer, 202, 204), upload), content.digest)


def end(
    registry: Registry, upload: Upload, digest: str, content: bytes | LargeContent = b""
) -> requests.Response:
    """PUT that ends an upload, with the last or all of its bytes, whatever is answered."""
    mark = "&" if "?" in upload.place else "?"
    path = f"{upload.place}{mark}{urlencode({'digest': digest})}"
    return registry.ask("PUT", path, upload.repository, PUSH, data=content, headers=OCTETS)


def send_chunk(registry: Registry, upload: Upload, content: bytes, first: int) -> requests.Response:
    """PATCH: bytes that are said to begin at `first`, whatever is answered."""
    headers = {**OCTETS, "Content-Range": f"{first}-{first + len(content) - 1}"}
    return registry.ask("PATCH", upload.place, upload.repository, PUSH, data=content, headers=headers)


def upload_range(registry: Registry, upload: Upload) -> str:
    """What an upload has so far, as its Range says (`0-999` of 1000 bytes). UnexpectedAnswer 404: it is not known."""
    answer = expect(registry.ask("GET", upload.place, upload.repository, PUSH), 204)
    return answer.headers.get("Range", "").removeprefix("bytes=")


def after(answer: requests.Response, upload: Upload) -> Upload:
    """Where an upload goes on after an answer to it."""
    return replace(upload, place=place_of(answer))


@dataclass(frozen=True)
class Page:
    """A page of a list of names, and where the next one is; empty: there is none."""

    names: list[str]
    next: str


def tags(registry: Registry, repository: str, **query: str | int) -> Page:
    """The first page of a list of tags, with `n` and `last` in the query as they are given."""
    return tags_at(registry, repository, f"/v2/{repository}/tags/list{_query(query)}")


def tags_at(registry: Registry, repository: str, path: str) -> Page:
    """The page of tags at a path, which a page before it named."""
    return _page(registry.ask("GET", path, repository, PULL), "tags")


def catalogue(registry: Registry, **query: str | int) -> Page:
    """The first page of the list of all repositories, which only an administrator may read."""
    return catalogue_at(registry, f"/v2/_catalog{_query(query)}")


def catalogue_at(registry: Registry, path: str) -> Page:
    """The page of repositories at a path, which a page before it named."""
    return _page(registry.ask_for("registry:catalog:*", "GET", path), "repositories")


def _query(query: dict[str, str | int]) -> str:
    return f"?{urlencode(query)}" if query else ""


def _page(answer: requests.Response, key: str) -> Page:
    found = document(expect(answer, 200))
    names = (found.get(key) or []) if isinstance(found, dict) else None
    if not isinstance(names, list):
        raise UnexpectedAnswer(f"{summary(answer)} holds no list of {key}", status=answer.status_code)
    link = _NEXT.search(answer.headers.get("Link", ""))
    parts = urlsplit(link[1]) if link else None
    return Page(names, f"{parts.path}?{parts.query}" if parts else "")


@dataclass(frozen=True)
class Referrers:
    """What a registry lists for a manifest: descriptors by digest, and whether it says that it has filtered them."""

    by_digest: dict[str, dict[str, Any]]
    is_filtered: bool
    media_type: str


def referrers(
    registry: Registry, repository: str, subject: Artifact, artifact_type: str = ""
) -> Referrers | None:
    """The artifacts that refer to `subject`, of one type where that is given; None: the registry has no such list."""
    query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
    path = f"/v2/{repository}/referrers/{subject.digest}{query}"
    answer = expect(registry.ask("GET", path, repository, PULL, headers={"Accept": OCI.index}), 200, 404)
    if answer.status_code == 404:
        return None
    found = document(answer)
    entries = found.get("manifests") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise UnexpectedAnswer(f"{summary(answer)} is no index", status=answer.status_code)
    applied = answer.headers.get("OCI-Filters-Applied", "")
    return Referrers(
        {str(entry.get("digest")): entry for entry in entries if isinstance(entry, dict)},
        "artifactType" in applied,
        media_type_of(answer),
    )


def received(answer: requests.Response) -> Iterator[bytes]:
    """The body of an answer that was asked for with `stream`, piece by piece. Raises NoAnswer where it breaks off."""
    try:
        yield from answer.iter_content(_PIECE_BYTES)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as broken:
        raise NoAnswer(f"{_first_line(answer)} breaks off: {broken}", sent=True) from broken


def _first_line(answer: requests.Response) -> str:
    """`GET /path → 200 OK`, without a look at the body."""
    path = answer.request.path_url.partition("?")[0]
    return f"{answer.request.method} {path} → {answer.status_code} {answer.reason}"


def beginning(registry: Registry, repository: str, digest: str, length: int) -> bytes:
    """The first `length` bytes of a blob, of a pull that the client then breaks off."""
    with closing(registry.ask_blob("GET", repository, digest, stream=True)) as answer:
        expect(answer, 200)
        found = b""
        for piece in received(answer):
            found += piece
            if len(found) >= length:
                break
    return found[:length]


def stream_digest(registry: Registry, repository: str, digest: str) -> tuple[str, int]:
    """(digest, length) of the bytes that come for a blob, of which only a piece is in memory at a time."""
    with closing(registry.ask_blob("GET", repository, digest, stream=True)) as answer:
        expect(answer, 200)
        hashed, length = hashlib.sha256(), 0
        for piece in received(answer):
            hashed.update(piece)
            length += len(piece)
    return f"sha256:{hashed.hexdigest()}", length


def require_blobs(registry: Registry, repository: str, manifest: bytes) -> None:
    """Configuration and layers that an image's manifest names come as their digests say. Raises WrongContent."""
    for each in descriptors_of(manifest):
        came, length = stream_digest(registry, repository, each["digest"])
        if came != each["digest"]:
            raise WrongContent(f"{each['digest']} comes as {length} bytes of digest {came}")


def _codes(answer: requests.Response) -> set[str]:
    """The error codes of an answer; none where it is no error of a registry's."""
    try:
        return {str(each["code"]) for each in answer.json()["errors"]}
    except (ValueError, KeyError, TypeError):
        return set()


def _encoded_anew(content: bytes, artifact: Artifact) -> str:
    try:
        same = json.loads(content) == json.loads(artifact.content)
    except ValueError:
        return ""
    return ": the same JSON in other bytes, which something on the way has written anew" if same else ""
