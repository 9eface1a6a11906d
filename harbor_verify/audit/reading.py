"""Reading one blob from one replica, and judging what came. A HEAD is never asked: the registry answers it from Redis.

What a registry (distribution 2.8 with descriptors in Redis) was seen to answer: with a descriptor and no file, GET is
200 with the whole Content-Length, and breaks off after 0 bytes, so a status proves nothing either; a file that is too
short breaks off where it ends; without a descriptor it is 404, or the short file with its own length. A manifest
that is no JSON any more is 500, with the Offset where it could not go on.
"""

import hashlib
import http.client
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.pace import Pace
from harbor_verify.clients.artifact import ACCEPT
from harbor_verify.clients.registry import PULL, USER_AGENT, Registry
from harbor_verify.errors import CannotTell, NoAnswer

SMALL_BYTES = 64 * 1024
"""A blob of this size or less costs as much to read whole as its first byte alone."""
SIGNED_V1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_ACCEPT = f"{ACCEPT}, {SIGNED_V1}, application/vnd.oci.artifact.manifest.v1+json"
_CHUNK_BYTES = 256 * 1024
_MOST_MANIFEST_BYTES = 8 * 2**20
_PAUSES_S = (0.5, 2.0)
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_NOT_THERE = (404, 410)


@dataclass(frozen=True)
class Reading:
    """What came of a GET. `announced` is its Content-Length, None without one."""

    status: int
    got: int = 0
    digest: str = ""
    announced: int | None = None
    broke_off: bool = False
    by_store: bool = False
    """It is what an object store said, where the registry sent us."""
    said: str = ""
    """The beginning of what came with an error."""
    content: bytes = b""
    """Of a manifest."""
    media_type: str = ""


@dataclass(frozen=True)
class Sizes:
    """Bytes that a blob has by the manifests that name it, and by the database; None: not said."""

    manifest: int | None = None
    database: int | None = None


def read(registry: Registry, repository: str, digest: str, pace: Pace, *, whole: bool = True) -> Reading:
    """GET a blob, whole or its first byte, in a stream that is hashed and thrown away.

    Asked again where it broke off or nobody answered. Raises NoAnswer, CannotTell.
    """
    part = {} if whole else {"Range": "bytes=0-0"}
    return _repeated(
        lambda: registry.ask_blob("GET", repository, digest, stream=True, **part), digest, pace, whole, False
    )


def read_manifest(registry: Registry, repository: str, digest: str, pace: Pace) -> Reading:
    """GET a manifest by digest, with its bytes. Raises NoAnswer, CannotTell."""
    path = f"/v2/{repository}/manifests/{digest}"
    headers = {"User-Agent": USER_AGENT, "Accept": _ACCEPT, "Accept-Encoding": "identity"}
    return _repeated(
        lambda: registry.ask("GET", path, repository, PULL, headers=headers, stream=True),
        digest,
        pace,
        True,
        True,
    )


def judge(reading: Reading, digest: str, sizes: Sizes) -> tuple[Kind, str] | None:
    """What is wrong with a blob that was read whole, and what was seen; None: nothing.

    Raises CannotTell where the answer is about something else than the blob: a login, an overloaded store.
    """
    if wrong := _refused(reading):
        return wrong
    right = reading.digest == digest
    expected = sizes.manifest if sizes.manifest is not None else sizes.database
    if reading.broke_off or (not right and expected is not None and reading.got < expected):
        of = reading.announced if reading.broke_off else expected
        if reading.got == 0 and reading.broke_off:
            return Kind.STALE, f"GET is {reading.status} and announces {of} bytes; none come"
        return Kind.TRUNCATED, f"{reading.got} of {of} bytes come"
    if not right:
        return Kind.OTHER_BYTES, f"{reading.got} bytes come, of digest {reading.digest}"
    for kind, size in ((Kind.WRONG_SIZE, sizes.manifest), (Kind.MISCOUNTED, sizes.database)):
        if size is not None and size != reading.got:
            return kind, f"{size} bytes are told of it; it has {reading.got}"
    return None


def judge_first_byte(reading: Reading, sizes: Sizes) -> tuple[Kind, str] | None:
    """What is wrong with a blob of which the first byte was asked. Raises CannotTell as above."""
    if reading.status == 416:  # of an empty one there is no first byte
        if sizes.manifest or sizes.database:
            return Kind.TRUNCATED, f"0 of {sizes.manifest or sizes.database} bytes come"
        return None
    if wrong := _refused(reading):
        return wrong
    if reading.got == 0 and reading.announced:
        return Kind.STALE, f"GET is {reading.status}, and not one byte comes"
    return None


def _refused(reading: Reading) -> tuple[Kind, str] | None:
    if reading.status in (200, 206):
        return None
    if reading.status in _NOT_THERE:
        if reading.by_store:
            return Kind.STALE, f"the registry sends clients to its object store, which says {reading.status}"
        return Kind.MISSING, f"GET is {reading.status}"
    if reading.status == 500 and '"Offset"' in reading.said:
        return Kind.UNREADABLE, f"GET is 500: {reading.said}"
    who = "the object store" if reading.by_store else "the registry"
    raise CannotTell(f"{who} answers {reading.status} {reading.said}".rstrip())


def _repeated(
    ask: Callable[[], requests.Response], digest: str, pace: Pace, whole: bool, keep: bool
) -> Reading:
    """An answer that came whole; else the last one of several, the last two of which broke off at the same place."""
    before: int | None = None
    last: Exception = CannotTell("stopped")
    for pause_s in (*_PAUSES_S, None):
        if pace.stop.is_set():
            raise CannotTell("stopped")
        try:
            reading = _once(ask, digest, pace, whole, keep)
            if not reading.broke_off and reading.status < 500:
                return reading
            if reading.status >= 500 and (pause_s is None or '"Offset"' in reading.said):
                return reading
            if reading.broke_off and before == reading.got:
                return reading
            before = reading.got if reading.broke_off else None
            last = CannotTell(
                f"the answer breaks off after {reading.got} bytes, another time elsewhere"
                if reading.broke_off
                else f"{reading.status}"
            )
        except NoAnswer as silent:
            last = silent
        if pause_s is not None:
            pace.stop.wait(0 if before is not None else pause_s)
    raise last


def _came(broken: BaseException | None) -> int:
    """How many bytes had come when it broke off, which is told by what broke: not all of them were handed out."""
    seen: list[Any] = [broken]
    while seen:
        each = seen.pop()
        if isinstance(each, urllib3.exceptions.IncompleteRead | http.client.IncompleteRead):
            return each.partial if isinstance(each.partial, int) else len(each.partial)
        if isinstance(each, BaseException):
            seen += [*each.args, each.__cause__, each.__context__]
    return 0


def _once(ask: Callable[[], requests.Response], digest: str, pace: Pace, whole: bool, keep: bool) -> Reading:
    pace.request()
    begun_s = time.monotonic()
    with closing(ask()) as answer:
        length = answer.headers.get("Content-Length", "")
        announced = int(length) if length.isdecimal() else None
        by_store = bool(answer.history)
        if answer.status_code not in (200, 206):
            try:
                said = " ".join(answer.text.split())[:200]
            except _BROKEN:
                said = ""
            return Reading(answer.status_code, announced=announced, by_store=by_store, said=said)
        algorithm = digest.partition(":")[0]
        if algorithm not in hashlib.algorithms_available:
            raise CannotTell(f"nobody here knows {algorithm}")
        summed, got, broke_off, kept = hashlib.new(algorithm), 0, False, []
        try:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                summed.update(chunk)
                got += len(chunk)
                pace.received(len(chunk))
                if keep:
                    kept.append(chunk)
                if not whole or pace.stop.is_set() or (keep and got > _MOST_MANIFEST_BYTES):
                    break
        except _BROKEN as broken:
            if "timed out" in str(broken):
                passed_s = time.monotonic() - begun_s
                raise NoAnswer(
                    f"no byte came for long, after {got} in {passed_s:.0f} s", sent=True
                ) from broken
            broke_off, got = True, max(got, _came(broken))
        if pace.stop.is_set():
            raise CannotTell("stopped")
        # A store that closes the connection as if that were the end.
        broke_off = broke_off or (whole and announced is not None and got < announced)
        return Reading(
            answer.status_code,
            got,
            f"{algorithm}:{summed.hexdigest()}",
            announced,
            broke_off,
            by_store,
            content=b"".join(kept),
            media_type=answer.headers.get("Content-Type", ""),
        )
