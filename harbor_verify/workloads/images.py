"""Pushing images that nobody has seen before, and pulling one that is known."""

import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harbor_verify.checkers.pushes import PULL, PULL_BACK, PUSH, WRONG_CONTENT
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import WrongContent
from harbor_verify.history import LONGEST_WAIT_MS, Operation, Outcome, Recorder
from harbor_verify.workloads.confirming import ask_until_known
from harbor_verify.workloads.pace import PushAllowance
from harbor_verify.workloads.work import Result, Work


@dataclass(frozen=True)
class Connect:
    """A way to a registry: called, it gives a client of it. `uid`: of the pod, where it leads to one alone."""

    client: Callable[[], Registry]
    uid: str = ""

    def __call__(self) -> Registry:
        return self.client()


"""A registry for one operation, with the tokens that its client would ask for."""

CONTENT_BYTES = 512
_NOTE_BYTES = 8


@dataclass(frozen=True)
class Pushed:
    """An image that was acknowledged, or may have been taken."""

    repository: str
    image: Image


class Push(Work):
    """Pushes one small new image after the other beside one that is there: into its repository, with its
    configuration, so that a push is a layer and a manifest.
    """

    kind = PUSH
    writes = True

    def __init__(
        self,
        place: str,
        connect: Connect,
        beside: Pushed,
        *,
        size_bytes: int | None = None,
        client: str | None = None,
        allowance: PushAllowance | None = None,
    ) -> None:
        """Random content is in each image: at most `size_bytes`, and no more than a part of what may still be pushed
        (None: a blink's worth). Once no more content may be pushed, each new image is a manifest alone: what was
        acknowledged is never pushed again, as that would bring back what was lost.
        """
        super().__init__(place, client=client, uid=connect.uid)
        self._connect, self._beside = connect, beside
        self._size_bytes = size_bytes or CONTENT_BYTES
        self._allowance = allowance or PushAllowance(sys.maxsize)
        self._image = Image(b"")
        self._asked: Registry | None = None
        self.acknowledged: list[Pushed] = []

    def begin(self) -> Mapping[str, Any]:
        size_bytes = self._allowance.part(self._size_bytes, CONTENT_BYTES)
        beside = self._beside.image
        image = beside.with_layer(secrets.token_bytes(size_bytes))
        if not self._allowance.take(image.size_bytes):
            image = beside.with_note(secrets.token_hex(_NOTE_BYTES))
        self._image = image
        return {"repository": self._beside.repository, "digest": self._image.digest}

    def do(self) -> Result:
        registry = self._asked = _measuring(self._connect)
        pushed = Pushed(self._beside.repository, self._image)
        # The tag tells images apart for people; an image is asked for by its digest.
        there = {self._beside.image.configuration, self._beside.image.layer}
        registry.push(self._image, pushed.repository, self._image.digest[-12:], there=there)
        self.acknowledged.append(pushed)
        return Result(status=201, value=_measured(registry))

    def answered_s(self) -> float | None:
        return _answered_s(self._asked)


class Upload(Work):
    """Begins an upload, sends some bytes and takes it back: whether one can write there, with nothing left of it."""

    kind = "upload"
    writes = True

    def __init__(self, place: str, connect: Connect, repository: str) -> None:
        super().__init__(place, client=f"upload-again@{place}", uid=connect.uid)
        self._connect, self._repository = connect, repository

    def begin(self) -> Mapping[str, Any]:
        return {"repository": self._repository}

    def do(self) -> Result:
        registry = self._connect()
        upload = registry.append(registry.begin_upload(self._repository), secrets.token_bytes(CONTENT_BYTES))
        registry.cancel(upload)
        return Result(status=204)


class Pull(Work):
    """Pulls an image by its digest, and compares every byte."""

    kind = PULL
    writes = False

    def __init__(
        self, place: str, connect: Connect, pushed: Pushed, *, client: str | None = None, has: bytes = b""
    ) -> None:
        """A configuration that one `has` from this place is not pulled again."""
        super().__init__(place, client=client, uid=connect.uid)
        self._connect, self._pushed, self._has = connect, pushed, has
        self._asked: Registry | None = None

    def begin(self) -> Mapping[str, Any]:
        return {"repository": self._pushed.repository, "digest": self._pushed.image.digest}

    def do(self) -> Result:
        registry = self._asked = _measuring(self._connect)
        try:
            came = registry.pull(self._pushed.repository, self._pushed.image.digest, has=self._has)
        except WrongContent:
            return Result(Outcome.FAIL, status=200, error=WRONG_CONTENT)
        if came != self._pushed.image:
            return Result(Outcome.FAIL, status=200, error=WRONG_CONTENT)
        return Result(status=200, value=_measured(registry))

    def answered_s(self) -> float | None:
        return _answered_s(self._asked)


def _measuring(connect: Connect) -> Registry:
    registry = connect()
    registry.http.longest_wait_s, registry.http.ended_s = 0.0, ()
    return registry


def _answered_s(registry: Registry | None) -> float | None:
    """When the last request but one ended: the last is the one that failed, or came before that one."""
    return registry.http.ended_s[0] if registry and len(registry.http.ended_s) > 1 else None


def _measured(registry: Registry) -> Mapping[str, Any]:
    """A push is a dozen requests: what counts as waiting is the longest of them."""
    return {LONGEST_WAIT_MS: round(registry.http.longest_wait_s * 1000, 3)}


class ManifestPull(Pull):
    """Its manifest alone, by its digest."""

    def do(self) -> Result:
        try:
            manifest, _ = self._connect().manifest(self._pushed.repository, self._pushed.image.digest)
        except WrongContent:
            return Result(Outcome.FAIL, status=200, error=WRONG_CONTENT)
        return Result(status=200, value={"manifest_bytes": len(manifest)})


class _PullBack(Pull):
    kind = PULL_BACK


class _ManifestBack(ManifestPull):
    kind = PULL_BACK


def pull_back_everywhere(
    recorder: Recorder,
    keepers: Mapping[str, Connect],
    passers: Mapping[str, Connect],
    pushed: list[Pushed],
    *,
    span_s: float,
) -> list[Operation]:
    """After the heal: pull every acknowledged image until it comes, or for `span_s` seconds.

    From each of `keepers`, which have the images, all of it, a configuration that several share once; from `passers`,
    which pass on what those give, its manifest, from one of them in turn: whether it is known is what is theirs, each
    one's catalogue tells it of all (`list_everywhere`), and no more than one has to show that the way is open. Returns
    the last operation of each pair; `no_acknowledged_push_lost` judges the history.
    """
    firsts = set({each.image.configuration: each.image.digest for each in reversed(pushed)}.values())
    lanes: list[list[Work]] = [
        [
            _PullBack(
                place,
                connect,
                each,
                has=b"" if each.image.digest in firsts else each.image.configuration,
            )
            for each in pushed
        ]
        for place, connect in keepers.items()
    ]
    lanes += [
        [_ManifestBack(place, connect, each) for each in pushed[turn :: len(passers)]]
        for turn, (place, connect) in enumerate(passers.items())
    ]
    return ask_until_known(recorder, lanes, span_s=span_s)
