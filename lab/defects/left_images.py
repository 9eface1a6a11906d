"""Images that were in Harbor before the suite came, for what may befall one of them: one stays whole beside it."""

import base64
import hashlib
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab import settings
from lab.defects import Lab
from lab.deployment import registry_cache
from lab.errors import LabError
from lab.stores import redis_sentinel

REPOSITORY = "library/kept"
LAYER = b"what an application was built of, " * 20
"""Of the image that is to be damaged."""
_CONFIGURATION = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
_WHOLE_LAYER = b"what another was built of, " * 20
_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CACHE_DATABASE = "2"
"""The registry's, as deploy/ has it."""


@dataclass(frozen=True)
class Answer:
    """What the front door said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


DIGEST = digest_of(LAYER)


def damaged(script: str) -> tuple[Callable[[Lab], None], Callable[[Lab], None]]:
    """(plant, heal): two images are pushed, and then `script` is run where one's layer lies as `data`."""

    def plant(lab: Lab) -> None:
        leave(lab)
        in_volume(lab, f"cd {folder_of(DIGEST)} && {script}")

    return plant, remove


def leave(lab: Lab, repository: str = REPOSITORY) -> None:
    """Push both; the layer that may be damaged is whole then, and is among the few that Redis vouches for."""
    forget_all()
    for tag, layer in (("whole", _WHOLE_LAYER), ("damaged", LAYER)):
        for blob in (layer, _CONFIGURATION):
            begun = ask(lab, "POST", f"/v2/{repository}/blobs/uploads/", expected=202)
            place = urlsplit(begun.headers["Location"])
            target = f"{place.path}?{place.query}&digest={digest_of(blob)}"
            ask(lab, "PUT", target, blob, "application/octet-stream", expected=201)
        parts = [
            {"mediaType": kind, "size": len(content), "digest": digest_of(content)}
            for kind, content in (
                ("application/vnd.docker.container.image.v1+json", _CONFIGURATION),
                ("application/vnd.docker.image.rootfs.diff.tar.gzip", layer),
            )
        ]
        manifest = {"schemaVersion": 2, "mediaType": _TYPE, "config": parts[0], "layers": parts[1:]}
        ask(
            lab,
            "PUT",
            f"/v2/{repository}/manifests/{tag}",
            json.dumps(manifest).encode(),
            _TYPE,
            expected=201,
        )
    _restore(lab)


def remove(lab: Lab, repository: str = REPOSITORY) -> None:
    """Delete both, and leave the layer's file as it was: its row in the database stays until garbage is collected."""
    _restore(lab)
    ask(
        lab,
        "DELETE",
        f"/api/v2.0/projects/{'/repositories/'.join(repository.split('/'))}",
        expected=(200, 404),
    )


def in_volume(lab: Lab, script: str) -> None:
    """Run a script in one of the registry's containers. Raises CommandFailed."""
    namespace = f"--namespace={lab.profile.namespace}"
    lab.kubectl(
        "exec", "deployment/harbor-registry", namespace, "--container=registry", "--", "sh", "-ec", script
    )


def in_cache(*words: str) -> None:
    """Send one command to the database of Redis in which the registry keeps descriptors. Raises CommandFailed."""
    address = settings.REDIS[redis_sentinel.in_use()]
    redis_sentinel.redis_cli(address, redis_sentinel.PORT, "-n", CACHE_DATABASE, *words)


def forget_all() -> None:
    """Empty it: of very many descriptors the checks ask for a sample. It fills itself again. Raises NotReady."""
    registry_cache.empty(CACHE_DATABASE)


def forget(digest: str, repository: str = REPOSITORY) -> None:
    """Let Redis vouch for it no longer."""
    in_cache("DEL", f"blobs::{digest}", f"repository::{repository}::blobs::{digest}")


def _restore(lab: Lab) -> None:
    content = base64.b64encode(LAYER).decode()
    folder = folder_of(DIGEST)
    in_volume(lab, f"if [ -d {folder} ]; then echo {content} | base64 -d > {folder}/data; fi")


def folder_of(digest: str) -> str:
    number = digest.partition(":")[2]
    return f"/storage/docker/registry/v2/blobs/sha256/{number[:2]}/{number}"


def ask(
    lab: Lab,
    method: str,
    target: str,
    body: bytes | None = None,
    kind: str = "",
    *,
    expected: int | tuple[int, ...],
) -> Answer:
    """One request to the front door, as the administrator. Raises LabError with an answer that is not expected."""
    login = base64.b64encode(f"admin:{settings.ADMIN_PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", **({"Content-Type": kind} if kind else {})}
    connection = http.client.HTTPConnection(urlsplit(lab.profile.url).netloc, timeout=30)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status not in ((expected,) if isinstance(expected, int) else expected):
        raise LabError(f"{method} {target.partition('?')[0]} → {answer.status} {said[:200]!r}")
    return Answer(answer.status, answer.headers, said)
