"""Pushes of images that share layers, while garbage is collected: what was acknowledged, and what was freed."""

import re
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from harbor_verify import running_replicas
from harbor_verify.audit import harbor as parts
from harbor_verify.clients.capabilities import Collection
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.clients.image import LAYER_TYPE, Image, descriptor, layer_of
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError, CannotTell, DeadlinePassed, UnexpectedAnswer
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_LAYERS = 12
_LABEL = "harbor-verify.push"
_TOLD = 10
"""How often it is told how far they are, at most."""
_AT_ONCE = 4
_TIMES = 3
"""That a push is tried, as docker does."""
_REPOSITORIES = 8
_LONGEST_S = 600
_SLOW, _SLOW_EACH = 10, 8
"""So many pushes are slow, and no more than one in so many."""
_LONGEST_PUSH_S = 120
_FREED = re.compile(r"delete blob from storage: (sha256:[0-9a-f]{64})")
_OVER = "success to run gc in job"
_LOOK_S = 0.5
_OPEN = ("Pending", "Running")
_NAMED_AT_ONCE = 200
_BLOBS = "docker/registry/v2/blobs/sha256"
_NO_FOLDER = "none"
_SCRIPT = f"""cd "$0/{_BLOBS}" 2>/dev/null || {{ echo {_NO_FOLDER}; exit 0; }}
for each; do if [ -e "${{each%${{each#??}}}}/$each/data" ]; then echo "$each"; fi; done"""
"""Prints those of its arguments that are there."""


@dataclass
class Seen:
    """`kept`: what was acknowledged and not deleted, by a repository and tag of its own; `during`: how many of the
    pushes fell into a collection.
    """

    acknowledged: list[str] = field(default_factory=list)
    kept: dict[str, Image] = field(default_factory=dict)
    refused: int = 0
    """How often a blob was: one that is being deleted."""
    taken: int = 0
    """How often a manifest was, though all that it names had been sent, or was said to be there."""
    last_refusal: str = ""
    last_taken: str = ""
    during: int = 0
    collections: list[Collection] = field(default_factory=list)
    freed: set[str] = field(default_factory=set)
    pushed_again: set[str] = field(default_factory=set)
    """Layers and configurations of what was pushed: such a one may have been freed, and come back."""


def push_and_collect(harbor: Target, project: str, *, pushes: int, tell: Callable[[str], None]) -> Seen:
    """Push so many images, and collect garbage meanwhile: two collections at once, then one after the other.

    Raises AnswerError where Harbor starts none, or does not say what became of it.
    """
    seen, lock, over = Seen(), threading.Lock(), threading.Event()
    layers = [layer_of(secrets.token_bytes(2048)) for _ in range(_LAYERS)]
    seen.pushed_again = {str(descriptor(LAYER_TYPE, layer)["digest"]) for layer, _ in layers}
    collecting_now, passed = threading.Event(), _Passed()

    def work(first: int) -> None:
        with closing(harbor.new_front_door_link(f"pusher-{first}")) as link:
            api, registry = harbor.profile.api(link), harbor.front_registry(harbor.client, link)
            slow_each = max(_SLOW_EACH, pushes // _SLOW)
            pusher = _Pusher(harbor, api, registry, project, slow_each, passed)
            for number in range(first, pushes, _AT_ONCE):
                if passed.closed:
                    return
                pusher.push(number, layers, seen, lock, collecting_now)

    def push() -> None:
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(work, range(_AT_ONCE)))
        finally:
            over.set()

    front: Any = harbor.new_front_door()
    with closing(front), ThreadPoolExecutor(1) as pusher:
        collector = _Collector(front, harbor.credentials, front.sign_in(harbor.credentials))
        done = pusher.submit(push)
        try:
            tell(f"{pushes} pushes begin, and garbage is collected, twice at once and then again and again")
            told = 0
            while not over.is_set():
                collecting_now.set()
                passed.begin()
                collector.collect(1 if collector.ids else 2)
                passed.end()
                collecting_now.clear()
                acknowledged = len(seen.acknowledged)
                if acknowledged - told >= max(1, pushes // _TOLD):
                    told = acknowledged
                    tell(f"{told} pushes acknowledged, {len(collector.ids)} collections over")
        finally:
            passed.close()
            done.result()
        collector.collect(1)
        seen.collections = collector.ended()
        seen.freed = collector.freed()
    return seen


class _Taken(Exception):
    """A manifest was refused, though its blobs were there a moment ago."""


class _Passed:
    """Collections that have passed, for those who wait until a whole one has."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._begun = self._over = 0
        self.closed = False
        """No more begins: all was pushed, or somebody wants to stop."""

    def begin(self) -> None:
        with self._changed:
            self._begun += 1

    def end(self) -> None:
        with self._changed:
            self._over = self._begun
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait, or push, any more."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Until one that begins after this is over."""
        with self._changed:
            wanted = self._begun + 1
            self._changed.wait_for(lambda: self._over >= wanted or self.closed, timeout_s)


@dataclass
class _Pusher:
    """One client, with a connection of its own."""

    target: Target
    api: Harbor
    registry: Registry
    project: str
    slow_each: int
    """One in so many is slow."""
    passed: "_Passed"

    def push(
        self,
        number: int,
        layers: Sequence[tuple[bytes, str]],
        seen: Seen,
        lock: threading.Lock,
        collecting_now: threading.Event,
    ) -> None:
        """Every other image is deleted as soon as it was acknowledged: its layer is then nobody's, or another's."""
        repository, tag = f"{self.project}/collected-{number % _REPOSITORIES}", f"n{number}"
        is_slow = number % self.slow_each == 0
        layer = layer_of(secrets.token_bytes(2048)) if is_slow else layers[number % len(layers)]
        image = Image.of_layer(*layer, labels={_LABEL: f"{number}-{secrets.token_hex(8)}"})
        with lock:
            seen.pushed_again |= {image.digest, image.configuration_digest, image.layer_digest}
        for _ in range(_TIMES):
            began_during = collecting_now.is_set()
            try:
                self._send(repository, tag, image, is_slow=is_slow)
            except _Taken as taken:
                with lock:
                    seen.taken += 1
                    seen.last_taken = str(taken)
                continue
            except AnswerError as refused:
                with lock:
                    seen.refused += 1
                    seen.last_refusal = str(refused)
                continue
            with lock:
                seen.acknowledged.append(image.digest)
                seen.during += began_during and collecting_now.is_set()
                if number % 2 == 0:
                    seen.kept[f"{repository}:{tag}"] = image
            if number % 2:
                with suppress(AnswerError):
                    self.api.delete_tag(repository, tag, self.target.client)
            return

    def _send(self, repository: str, tag: str, image: Image, *, is_slow: bool) -> None:
        """As docker does: what is said to be there is not sent. Raises AnswerError, _Taken.

        A slow one sends its manifest when a whole collection has passed since its blobs were sent.
        """
        blobs = ((image.layer, image.layer_digest), (image.configuration, image.configuration_digest))
        for blob, digest in blobs:
            if self.registry.ask_blob("HEAD", repository, digest).status_code != 200:
                self.registry.push_blob(repository, blob)
        if is_slow:
            self.passed.wait(_LONGEST_PUSH_S)
        try:
            self.registry.push_manifest(repository, tag, image.manifest)
        except UnexpectedAnswer as refused:
            raise _Taken(str(refused)) from refused


@dataclass
class _Collector:
    """Who starts collections and follows them, at the front door."""

    front: Any
    credentials: Credentials
    session: Session
    ids: list[int] = field(default_factory=list)

    def collect(self, count: int) -> None:
        """Start so many at once, and wait for them. Raises AnswerError."""
        begun = [self.front.start_collection(self.credentials) for _ in range(count)]
        self.ids += begun
        for number in begun:
            self._wait(number, self._require_over)

    def ended(self) -> list[Collection]:
        """All of them, with what became of each; one that does not end is told by its status. Raises AnswerError."""
        for number in self.ids:
            self._wait(number, self._require_ended)
        by_id = {each.id: each for each in self.front.collections(self.credentials)}
        return [by_id[number] for number in self.ids if number in by_id]

    def freed(self) -> set[str]:
        """What their logs name as deleted; nothing of one whose log is gone."""
        return {digest for number in self.ids for digest in _FREED.findall(self._log(number))}

    def _wait(self, number: int, look: Callable[[int], None]) -> None:
        with suppress(DeadlinePassed):
            wait_until(
                f"garbage collection {number} ends",
                lambda: look(number),
                deadline="fixed",
                timeout_s=_LONGEST_S,
                interval_s=_LOOK_S,
            )

    def _require_over(self, number: int) -> None:
        """By its log: for half a minute after its end it is said to run."""
        if _OVER not in self._log(number):
            self._require_ended(number)

    def _require_ended(self, number: int) -> None:
        if (status := self.front.job_status(number, self.credentials)) in _OPEN:
            raise NotYet(status)

    def _log(self, number: int) -> str:
        try:
            return str(self.front.job_log(number, self.session))
        except UnexpectedAnswer:
            return ""


def read(harbor: Target, place: str, image: Image) -> None:
    """Manifest, configuration and layer by their digests at the front door. Raises AnswerError."""
    repository = place.rpartition(":")[0]
    registry = harbor.front_registry(harbor.client)
    registry.manifest(repository, image.digest)
    for digest in (image.configuration_digest, image.layer_digest):
        registry.blob(repository, digest)


def still_there(harbor: Target, replica: Replica, digests: Sequence[str]) -> list[str] | None:
    """Which of these blobs lie in the volume of a registry replica; None: images are in no volume that is declared, but
    in an object store, so nobody has looked.

    Raises CannotTell, also where the volume has no folder of blobs at all: then it is not the one.
    """
    root = parts.root_of(harbor, replica)
    if root is None:
        return None
    found: list[str] = []
    for start in range(0, len(digests), _NAMED_AT_ONCE):
        numbers = [each.partition(":")[2] for each in digests[start : start + _NAMED_AT_ONCE]]
        told = running_replicas.output_of(harbor, replica, ["sh", "-c", _SCRIPT, root, *numbers])
        if told.split() == [_NO_FOLDER]:
            raise CannotTell(f"{replica.object} has no folder {root}/{_BLOBS}: images lie elsewhere")
        found += [f"sha256:{number}" for number in told.split()]
    return found
