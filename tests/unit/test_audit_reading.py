"""Reading one blob and judging it, by a registry over HTTP."""

from types import SimpleNamespace

import pytest

from harbor_verify.audit import reading
from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.manifests import Part, parts_of
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.reading import Reading, Sizes
from harbor_verify.clients.image import digest_of
from harbor_verify.errors import CannotTell, NoAnswer
from tests.unit.damaged_registry import DamagedRegistry, Storage

CONTENT = bytes(range(256)) * 40
SIZES = Sizes(len(CONTENT), len(CONTENT))


@pytest.fixture
def storage():
    return Storage()


@pytest.fixture
def server(storage):
    with DamagedRegistry(storage).running() as server:
        yield server


def judged(server, digest, sizes=SIZES, *, whole=True):
    registry = server.registry()
    try:
        seen = reading.read(registry, "p/r", digest, Pace(), whole=whole)
    finally:
        registry.close()
    return reading.judge(seen, digest, sizes) if whole else reading.judge_first_byte(seen, sizes)


def test_a_blob_that_is_as_it_should_be_is_well(server, storage):
    digest = storage.put("p/r", CONTENT)
    assert judged(server, digest) is None
    assert judged(server, digest, whole=False) is None


def test_one_that_nobody_has_is_missing(server, storage):
    digest = storage.put("p/r", CONTENT, vouched=False)
    del storage.files[digest]
    assert judged(server, digest) == (Kind.MISSING, "GET is 404")
    assert judged(server, digest, whole=False) == (Kind.MISSING, "GET is 404")


def test_one_that_redis_alone_has_is_stale_though_get_is_200_and_206(server, storage):
    """With a descriptor and no file, distribution answers 200 or 206, and breaks off after 0 bytes."""
    digest = storage.put("p/r", CONTENT)
    del storage.files[digest]
    kind, observed = judged(server, digest)
    assert (kind, observed) == (Kind.STALE, "GET is 200 and announces 10240 bytes; none come")
    assert judged(server, digest, whole=False) == (Kind.STALE, "GET is 206, and not one byte comes")


@pytest.mark.parametrize("vouched", [True, False])
def test_one_that_is_cut_off_is_truncated_whether_redis_knows_its_length_or_not(server, storage, vouched):
    digest = storage.put("p/r", CONTENT, vouched=vouched)
    storage.files[digest] = CONTENT[:300]
    assert judged(server, digest) == (Kind.TRUNCATED, "300 of 10240 bytes come")


def test_one_of_which_nothing_is_left_and_redis_does_not_know_is_truncated(server, storage):
    digest = storage.put("p/r", CONTENT, vouched=False)
    storage.files[digest] = b""
    assert judged(server, digest) == (Kind.TRUNCATED, "0 of 10240 bytes come")
    assert judged(server, digest, whole=False) == (Kind.TRUNCATED, "0 of 10240 bytes come")


def test_one_bit_is_told(server, storage):
    digest = storage.put("p/r", CONTENT)
    flipped = bytearray(CONTENT)
    flipped[77] ^= 4
    storage.files[digest] = bytes(flipped)
    kind, observed = judged(server, digest)
    assert kind is Kind.OTHER_BYTES
    assert digest_of(bytes(flipped)) in observed


@pytest.mark.parametrize(
    "sizes, kind", [(Sizes(10239, 10240), Kind.WRONG_SIZE), (Sizes(10240, 10241), Kind.MISCOUNTED)]
)
def test_another_size_is_told_by_whoever_says_it(server, storage, sizes, kind):
    told, observed = judged(server, storage.put("p/r", CONTENT), sizes)
    assert told is kind
    assert observed.endswith("it has 10240")


def test_an_empty_blob_is_well(server, storage):
    digest = storage.put("p/r", b"")
    assert judged(server, digest, Sizes(0)) is None
    assert judged(server, digest, Sizes(0), whole=False) is None


def test_an_error_that_passes_is_asked_again(server, storage, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    digest = storage.put("p/r", CONTENT)
    storage.seldom[digest] = [503]
    assert judged(server, digest) is None


def test_an_error_that_stays_is_not_the_blobs(server, storage, monkeypatch):
    """A store that is overloaded, a login: could not be found out."""
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    digest = storage.put("p/r", CONTENT)
    storage.seldom[digest] = [503] * 9
    with pytest.raises(CannotTell, match="503"):
        judged(server, digest)
    storage.seldom[digest] = [401]
    with pytest.raises(CannotTell, match="401"):
        judged(server, digest)


def test_a_registry_that_is_silent_is_not_the_blobs_either(server, storage, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    server.silent = True
    with pytest.raises(NoAnswer):
        judged(server, storage.put("p/r", CONTENT))


def test_what_an_object_store_has_not_is_stale_and_what_it_refuses_is_not_known():
    gone = Reading(404, by_store=True, said="NoSuchKey")
    kind, observed = reading.judge(gone, "sha256:a", SIZES)
    assert kind is Kind.STALE
    assert "object store" in observed
    with pytest.raises(CannotTell, match="object store answers 403"):
        reading.judge(Reading(403, by_store=True), "sha256:a", SIZES)


def test_a_manifest_that_is_no_json_any_more_is_unreadable(server, storage):
    image, known = storage.push("p/r")
    storage.files[known.digest] = image.manifest[:-9]
    registry = server.registry()
    seen = reading.read_manifest(registry, "p/r", known.digest, Pace())
    assert reading.judge(seen, known.digest, Sizes())[0] is Kind.UNREADABLE
    registry.close()


def test_parts_are_what_a_manifest_names_but_for_layers_from_elsewhere():
    assert parts_of(
        b"""{"config": {"digest": "sha256:c", "size": 2}, "layers": [{"digest": "sha256:a", "size": 5},
        {"digest": "sha256:f", "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}]}"""
    ) == [Part("sha256:c", 2), Part("sha256:a", 5)]
    assert parts_of(b'{"manifests": [{"digest": "sha256:m", "size": 9}]}') == [Part("sha256:m", 9, True)]
    assert parts_of(b'{"fsLayers": [{"blobSum": "sha256:l"}]}') == [Part("sha256:l", None)]
    with pytest.raises(ValueError, match="no manifest"):
        parts_of(b"[]")


def test_whoever_is_too_fast_waits(monkeypatch):
    monkeypatch.setattr("harbor_verify.audit.pace.time", SimpleNamespace(monotonic=lambda: 7.0))
    pace = Pace(requests_per_s=1000, bytes_per_s=1e6)
    waited = []
    pace.stop.wait = waited.append
    for _ in range(3):
        pace.request()
    pace.received(500_000)
    pace.received(1)
    assert waited == pytest.approx([0, 0.001, 0.002, 0, 0.5])
    assert (pace.requests, pace.bytes) == (3, 500_001)
