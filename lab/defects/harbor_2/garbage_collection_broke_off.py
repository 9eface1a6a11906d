"""A garbage collection was stopped after it had deleted from the storage, and before it told the registry's Redis."""

import base64
import http.client
import io
import json
import os
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from lab import settings
from lab.command import run
from lab.defects import Defect, Lab
from lab.errors import LabError
from lab.machines import docker_daemon

_PROJECT, _NAME = "library", "half-collected"
_STORE = "/storage/docker/registry/v2"
_DELETE = f"""cd {_STORE} && for digest in $(ls repositories/{_PROJECT}/{_NAME}/_layers/sha256); do
    rm -r blobs/sha256/$(echo $digest | cut -c1-2)/$digest
done"""


def _collect_half(lab: Lab) -> None:
    _remove(lab)
    host = _host(lab)
    image = f"{host}/{_PROJECT}/{_NAME}:1"
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content.tar"
        content.write_bytes(_layer())
        (Path(folder) / "config.json").write_text(json.dumps({"auths": {}}))
        docker = ("docker", f"--config={folder}", f"--host={docker_daemon.HOST}")
        run([*docker, "import", str(content), image])
        run([*docker, "login", "--username=admin", "--password-stdin", host], input=settings.ADMIN_PASSWORD)
        run([*docker, "push", image])
        run([*docker, "rmi", image])
    namespace = f"--namespace={lab.profile.namespace}"
    lab.kubectl(
        "exec", "deployment/harbor-registry", namespace, "--container=registry", "--", "sh", "-c", _DELETE
    )


def _layer() -> bytes:
    """A layer that nobody else has, as a tar file."""
    content, archive = os.urandom(1000), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _remove(lab: Lab) -> None:
    path = f"/api/v2.0/projects/{_PROJECT}/repositories/{_NAME}"
    user = base64.b64encode(f"admin:{settings.ADMIN_PASSWORD}".encode()).decode()
    with closing(http.client.HTTPConnection(_host(lab), timeout=30)) as connection:
        connection.request("DELETE", path, headers={"Authorization": f"Basic {user}"})
        status = connection.getresponse().status
    if status not in (200, 404):
        raise LabError(f"DELETE {path} → {status}")


def _host(lab: Lab) -> str:
    return lab.profile.url.partition("://")[2]


DEFECT = Defect(
    report="h#22571, h#19988, distribution/distribution#4269",
    shows="pushes say that the layer exists already, pulls that it is unknown, however often one pushes",
    turns_red=frozenset({"registry.existing-images-whole"}),
    hint_says=("garbage collection", "empty that database of the Redis"),
    plant_outside=_collect_half,
    heal_outside=_remove,
    beside_others=True,
)
