"""Small images that the contract tests push through core, with a password."""

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.contract.harbor_2 import exchanges
from tests.contract.harbor_2.replay import Client

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Image:
    """`size` in bytes, of everything that it is made of."""

    digest: str
    size: int
    layer: str
    manifest: bytes


class Denied(Exception):
    """Harbor did not take it; `status` and `answer` are what it said."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(f"{status} {answer!r}")
        self.status = status
        self.answer = answer.decode()


def push(
    client: Client, repository: str, tag: str, *, size: int = 64, user: str = "admin", to: str = "core-a"
) -> Image:
    """A new image with a layer of `size` bytes, which says of itself what the recorded one did. Raises Denied."""
    layer = os.urandom(size)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "author": "t",
            "created": "2020-01-01T00:00:00Z",
            "config": {"Cmd": ["sh"], "Env": ["A=b"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "x"}],
        }
    ).encode()
    for blob in (layer, config):
        upload(client, repository, blob, user=user, to=to)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _described(config, _CONFIG),
            "layers": [_described(layer, _LAYER)],
        }
    ).encode()
    put(client, repository, tag, manifest, MANIFEST, user=user, to=to)
    return Image(digest(manifest), len(layer) + len(config) + len(manifest), digest(layer), manifest)


def push_index(client: Client, repository: str, tag: str, *images: Image) -> str:
    """An index of images that are in the repository; its digest."""
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {
                    "mediaType": MANIFEST,
                    "digest": image.digest,
                    "size": len(image.manifest),
                    "platform": {"architecture": architecture, "os": "linux"},
                }
                for image, architecture in zip(images, ("amd64", "arm64"), strict=False)
            ],
        }
    ).encode()
    put(client, repository, tag, index, INDEX)
    return digest(index)


def upload(client: Client, repository: str, blob: bytes, *, user: str = "admin", to: str = "core-a") -> None:
    """Raises Denied."""
    headers = _headers(user)
    status, fields, answer, _ = client.request(to, "POST", f"/v2/{repository}/blobs/uploads/", headers)
    if status != 202:
        raise Denied(status, answer)
    location = dict(fields)["Location"]
    target = f"{location[location.index('/v2/') :]}&digest={quote(digest(blob))}"
    headers["Content-Type"] = "application/octet-stream"
    status, _, answer, _ = client.request(to, "PUT", target, headers, blob)
    if status != 201:
        raise Denied(status, answer)


def put(
    client: Client,
    repository: str,
    reference: str,
    manifest: bytes,
    media_type: str,
    *,
    user: str = "admin",
    to: str = "core-a",
) -> None:
    """Raises Denied."""
    headers = _headers(user) | {"Content-Type": media_type}
    status, _, answer, _ = client.request(
        to, "PUT", f"/v2/{repository}/manifests/{reference}", headers, manifest
    )
    if status != 201:
        raise Denied(status, answer)


def pull(client: Client, repository: str, reference: str, *, user: str = "admin", to: str = "core-a") -> int:
    """The status of getting the manifest."""
    headers = _headers(user) | {"Accept": f"{MANIFEST}, {INDEX}"}
    return client.request(to, "GET", f"/v2/{repository}/manifests/{reference}", headers)[0]


def blob_status(client: Client, repository: str, blob: str, to: str = "core-a") -> int:
    return client.request(to, "HEAD", f"/v2/{repository}/blobs/{blob}", _headers("admin"))[0]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _headers(user: str) -> dict[str, str]:
    return {"Authorization": exchanges.credentials(user)}


def _described(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}
