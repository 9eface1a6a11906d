"""Images: push and pull by the suite's own client and by others, in turn; the front door against one replica.

Each push is of an image that nobody has seen before, so that all of it goes over the wire. All come to one registry
from this machine. docker also packs and unpacks, which the others do not.
"""

import json
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.figures import Figure
from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import OCI, Artifact
from harbor_verify.clients.busybox import archive
from harbor_verify.clients.docker import Docker
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import descriptor, layer_of
from harbor_verify.clients.registry import Registry, by_password
from harbor_verify.profiles.harbor_2 import PROFILE
from harbor_verify.programs import known, layout
from harbor_verify.programs.workspace import Place, Workspace
from lab import cluster, settings
from lab.kubernetes import control_plane
from lab.machines import topology
from lab.programs import toolchain

_LAYERS, _LAYER_MIB = 2, 48
"""An image of 96 MiB: the lab's storage holds some GiB, and four are pushed in each round."""
_MIB = _LAYERS * _LAYER_MIB
_OWN, _OTHERS = "the suite", ("skopeo", "crane")
_LIMIT = 1.2
_TIMEOUT_S = 300


def measure(rounds: int) -> list[Figure]:
    """Push and pull with each client `rounds` times, in turn, through the front door of a lab that is up.

    Seconds of each, the suite's against the faster of skopeo and crane in the same round, and MiB/s through the front
    door and to one replica, both from the node that the replica is on. Raises what the clients raise.
    """
    target = cluster.up(PROFILE.name)
    admin = Credentials("admin", target.admin_password)
    project = f"bench-{secrets.token_hex(4)}"
    http = HttpClient("front-door", target.harbor_url, timeouts_s=(5, _TIMEOUT_S))
    api = PROFILE.api(http)
    api.create_project(project, admin)
    registry = Registry(http, by_password(admin))
    with tempfile.TemporaryDirectory(prefix="bench-images-") as folder:
        place = Place(urlsplit(target.harbor_url).netloc, admin, plain_http=True)
        bench = _Bench(
            registry, Workspace(Path(folder), place, timeout_s=_TIMEOUT_S), target.docker_host, project
        )
        seconds = bench.all(rounds)
    figures = []
    for action in ("push", "pull"):
        for name, taken in seconds[action].items():
            figures.append(Figure(f"images: {action} of {_MIB} MiB, {name}", "s", taken))
        faster = map(min, *(seconds[action][name] for name in _OTHERS))
        ratios = [own / best for own, best in zip(seconds[action][_OWN], faster, strict=True)]
        words = f"images: {action}, the suite against the faster of {' and '.join(_OTHERS)}"
        figures.append(Figure(words, "times", ratios, limit=_LIMIT))
    return [*figures, *_ways(target.harbor_url, target.namespace, project, admin.password, rounds)]


class _Bench:
    """The clients, and what they push."""

    def __init__(self, registry: Registry, workspace: Workspace, docker_host: str, project: str) -> None:
        self._registry, self._workspace, self._project = registry, workspace, project
        self._docker = Docker(docker_host, timeout_s=_TIMEOUT_S)
        found = known.find(toolchain.clients())
        self._skopeo = known.Skopeo(found["skopeo"], workspace, run_id="bench")
        self._crane = known.Crane(found["crane"], workspace, run_id="bench")

    def all(self, rounds: int) -> dict[str, dict[str, list[float]]]:
        """Seconds by action and client. Who comes first changes with each round; a round before all warms up."""
        names = (_OWN, "docker", *_OTHERS)
        seconds: dict[str, dict[str, list[float]]] = {
            action: {name: [] for name in names} for action in ("push", "pull")
        }
        for number in range(-1, rounds):
            turn = number % len(names)
            for name in (*names[turn:], *names[:turn]):
                push, pull = self._once(name, f"{self._project}/{name.replace(' ', '-')}-{number + 1}")
                if number >= 0:
                    seconds["push"][name].append(push)
                    seconds["pull"][name].append(pull)
        return seconds

    def _once(self, name: str, repository: str) -> tuple[float, float]:
        """(push, pull) in seconds. What is pulled is the suite's own push, of the same kind for all."""
        image = _image()
        if name == "docker":
            reference = f"{self._workspace.place.host}/{repository}:one"
            content = [(f"file-{n}", secrets.token_bytes(_LAYER_MIB * 2**20), 0o644) for n in range(_LAYERS)]
            self._docker.import_image(archive(content), reference, run_id="bench")
            push = _timed(lambda: self._docker.push(reference, self._workspace.place.credentials))
            self._docker.remove(reference)
            pull = _timed(lambda: self._docker.pull(reference, self._workspace.place.credentials))
            self._docker.remove(reference)
            return push, pull
        if name == _OWN:
            push = _timed(lambda: registry_asks.push(self._registry, image, repository, "one"))
            return push, _timed(lambda: self._read(repository))
        program = self._skopeo if name == "skopeo" else self._crane
        with _layout(self._workspace, image) as source:
            program.source = source
            push = _timed(lambda: program.push(repository, "one"))
        pull = _timed(lambda: program.fetch(repository, "one"))
        for folder in self._workspace.folder.glob(f"{name}-*"):
            shutil.rmtree(folder)
        return push, pull

    def _read(self, repository: str) -> None:
        manifest = registry_asks.manifest(self._registry, "GET", repository, "one").content
        registry_asks.require_blobs(self._registry, repository, manifest)


def _image() -> Artifact:
    layers, uncompressed = zip(
        *(layer_of(secrets.token_bytes(_LAYER_MIB * 2**20)) for _ in range(_LAYERS)), strict=True
    )
    about = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": uncompressed}}
    configuration = json.dumps(about).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "config": descriptor(OCI.configuration, configuration),
        "layers": [descriptor(OCI.layer, layer) for layer in layers],
    }
    return Artifact(OCI.manifest, json.dumps(manifest).encode(), (configuration, *layers))


@contextmanager
def _layout(workspace: Workspace, image: Artifact) -> Iterator[Path]:
    folder = workspace.new_folder("source")
    layout.write(folder, image)
    yield folder
    shutil.rmtree(folder)


def _timed(action: Callable[[], object]) -> float:
    begun_s = time.monotonic()
    action()
    return time.monotonic() - begun_s


def _ways(url: str, namespace: str, project: str, password: str, rounds: int) -> list[Figure]:
    """MiB/s through the front door, and to the replica that is on the first node, both from there."""
    listed = json.loads(
        control_plane.kubectl("get", "pods", f"--namespace={namespace}", "-l", "component=core", "-o", "json")
    )
    pod = min(listed["items"], key=lambda pod: pod["spec"]["nodeName"])
    node = next(machine for machine in topology.ALL if machine.name == pod["spec"]["nodeName"])
    places = {"the front door": url, "one replica": f"http://{pod['status']['podIP']}:8080"}
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, place in places.items():
            words = (sys.executable, "-m", "bench.transfer", place, project, str(_MIB))
            told = node.run(
                "env", f"PYTHONPATH={settings.REPOSITORY}", *words, input=password, timeout_s=_TIMEOUT_S
            )
            for action, taken_s in json.loads(told).items():
                rates.setdefault((action, name), []).append(_MIB / taken_s)
    return [
        Figure(f"images: {action} of {_MIB} MiB by {name}, from a node", "MiB/s", found)
        for (action, name), found in sorted(rates.items())
    ]
