"""Small images that the contract tests push straight to the registry, as nginx lets clients do."""

import base64
import hashlib
import json
import os
from typing import Any

from tests.contract.harbor_1 import exchanges
from tests.contract.harbor_1.replay import Client

DOCKER = "docker/20.10.24 go/go1.19.8 os/linux arch/amd64"
_DOCKER_TYPES = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_OCI_TYPES = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}


def push(
    client: Client,
    repository: str,
    *tags: str,
    agent: str = DOCKER,
    oci: bool = False,
    token: str | None = None,
) -> str:
    """Push a new image under all of the tags; return its digest. The image says of itself what the recorded did."""
    types = _OCI_TYPES if oci else _DOCKER_TYPES
    headers = {
        "User-Agent": agent,
        "Authorization": f"Bearer {token or admin_token(client, f'repository:{repository}:push,pull')}",
    }
    layer = os.urandom(64)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2017-09-01T00:00:00Z",
            "author": "contract",
            "docker_version": "17.06.0-ce",
            "config": {"Cmd": ["/hello"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": "2017-09-01T00:00:00Z", "created_by": "contract"}],
        }
    ).encode()
    for blob in (layer, config):
        _upload(client, repository, blob, headers)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": types["manifest"],
            "config": _described(config, types["config"]),
            "layers": [_described(layer, types["layer"])],
        }
    ).encode()
    for tag in tags:
        status, _, answer, _ = client.request(
            "registry",
            "PUT",
            f"/v2/{repository}/manifests/{tag}",
            headers | {"Content-Type": types["manifest"]},
            manifest,
        )
        assert status == 201, answer
    return _digest(manifest)


def admin_token(client: Client, scope: str, to: str = "ui1") -> str:
    status, _, answer, _ = client.request(
        to,
        "GET",
        f"/service/token?service=harbor-registry&scope={scope}",
        {"Authorization": exchanges.credentials("admin")},
    )
    assert status == 200, answer
    return json.loads(answer)["token"]


def claims(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A token's header and what it claims."""
    header, body, _ = token.split(".")
    parts = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, body)]
    return parts[0], parts[1]


def _upload(client: Client, repository: str, blob: bytes, headers: dict[str, str]) -> None:
    status, answer, text, _ = client.request(
        "registry", "POST", f"/v2/{repository}/blobs/uploads/", headers | {"Content-Length": "0"}
    )
    assert status == 202, text
    location = dict(answer)["Location"]
    target = location[location.index("/v2/") :] + f"&digest={_digest(blob)}"
    content = headers | {"Content-Type": "application/octet-stream"}
    status, _, text, _ = client.request("registry", "PUT", target, content, blob)
    assert status == 201, text


def _described(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()
