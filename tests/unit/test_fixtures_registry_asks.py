"""What is asked of a registry beyond a small image, and the bytes that are sent: on a registry of a few lines."""

import hashlib

import pytest

from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import DOCKER, OCI, image, index, referrer, referrers_tag
from harbor_verify.clients.image import Image, digest_of
from harbor_verify.clients.large_content import LargeContent
from harbor_verify.clients.registry import Upload
from harbor_verify.errors import NoAnswer, TypeRefused, UnexpectedAnswer, WrongContent
from tests.unit.fake_bucket import FakeBucket
from tests.unit.fake_registry import FakeRegistry, Store

CONTENT = Image.make(b"content", run_id="r").layer
DIGEST = digest_of(CONTENT)


@pytest.fixture
def server():
    with FakeRegistry(Store()).running() as server:
        yield server


@pytest.fixture
def registry(server):
    with server.registry("replica-1").http as http:
        found = server.registry("replica-1")
        found.http = http
        yield found


@pytest.fixture
def elsewhere():
    with FakeBucket(CONTENT).running() as bucket:
        yield bucket


def test_a_blob_is_followed_to_an_object_store_without_the_login(server, registry, elsewhere):
    registry.push_blob("p/r", CONTENT)
    registry.http.headers["Host"] = "harbor.example"
    server.elsewhere = elsewhere.url

    assert registry.blob("p/r", DIGEST) == CONTENT
    assert registry_asks.stream_digest(registry, "p/r", DIGEST) == (DIGEST, len(CONTENT))

    (path, headers), _ = elsewhere.asked
    assert path == f"/bucket/v2/{DIGEST}?signature=s"
    assert "Authorization" not in headers
    assert headers["Host"] == server.elsewhere.removeprefix("http://")


def test_a_store_that_refuses_or_does_not_answer_is_named(server, registry, elsewhere):
    registry.push_blob("p/r", CONTENT)
    server.elsewhere = host = elsewhere.url
    assert registry.blob_host("p/r", DIGEST) == host
    elsewhere.status = 403
    with pytest.raises(UnexpectedAnswer, match=rf"^GET {host}/bucket/v2/{DIGEST} → 403") as refusal:
        registry.blob("p/r", DIGEST)
    assert "signature" not in str(refusal.value)
    server.elsewhere = "http://127.0.0.1:1"
    with pytest.raises(
        NoAnswer, match=r"GET http://127.0.0.1:1/bucket/v2/.* as replica-1 says: no answer .*refused"
    ):
        registry.blob("p/r", DIGEST)


def test_a_blob_that_comes_from_the_registry_itself_is_sent_nowhere(registry):
    registry.push_blob("p/r", CONTENT)
    assert registry.blob_host("p/r", DIGEST) is None
    with pytest.raises(UnexpectedAnswer, match="404"):
        registry.blob_host("p/other", DIGEST)


def test_a_body_that_breaks_off_is_no_answer(server, registry, elsewhere):
    registry.push_blob("p/r", CONTENT)
    server.elsewhere = elsewhere.url
    elsewhere.too_many = 100
    with pytest.raises(NoAnswer, match="200 OK breaks off"):
        registry_asks.stream_digest(registry, "p/r", DIGEST)


def test_a_mount_is_asked_for_with_the_right_to_read_the_other_repository(server, registry):
    registry.push_blob("p/from", CONTENT)
    assert registry_asks.mount(registry, "p/into", DIGEST, "p/from") is None
    _, path, headers, _ = server.seen[-1]
    assert path == f"/v2/p/into/blobs/uploads/?mount={DIGEST.replace(':', '%3A')}&from=p%2Ffrom"
    assert headers["Authorization"] == "Bearer admin|repository:p/into:push,pull repository:p/from:pull"


def test_a_refused_type_is_told_apart_from_other_refusals(server, registry):
    artifact = image(OCI, run_id="r")
    for flaw, kind in (("no-oci", TypeRefused), ("no-oci-415", TypeRefused), ("silent", UnexpectedAnswer)):
        server.flaws = {flaw}
        with pytest.raises(UnexpectedAnswer) as refusal:
            registry_asks.put_manifest(registry, artifact, "p/r", "one")
        assert type(refusal.value) is kind


def test_a_registry_that_acknowledges_no_digest_is_wrong(server, registry):
    server.flaws = {"drops-digest"}
    with pytest.raises(WrongContent, match="acknowledges no digest"):
        registry_asks.put_manifest(registry, image(DOCKER, run_id="r"), "p/r", "one")


def test_the_tag_of_an_index_is_a_plain_manifests_in_the_end(registry):
    pushed = index(DOCKER, run_id="r")
    with registry_asks.tagged(registry, pushed, "p/r", "list"):
        registry_asks.push(registry, pushed, "p/r", "list")
        registry_asks.require_same(registry, pushed, "p/r", "list")
    registry_asks.require_same_manifest(registry, pushed.children[0], "p/r", "list")


def test_an_index_holds_each_platform_and_what_a_builder_says():
    oci, docker = index(OCI, run_id="r"), index(DOCKER, run_id="r")
    assert [child.platform for child in oci.children] == ["linux/amd64", "linux/arm64", "unknown/unknown"]
    assert [child.platform for child in docker.children] == ["linux/amd64", "linux/arm64"]
    assert list(oci)[-1] is oci, "children are pushed first"
    assert {each.media_type for each in docker} == {DOCKER.manifest, DOCKER.index}


def test_a_referrer_names_its_subject_whose_tag_is_made_of_its_digest():
    subject = image(OCI, run_id="r")
    assert subject.digest.encode() in referrer(subject, "application/x").content
    assert referrers_tag(subject) == "sha256-" + subject.digest[7:]


def test_large_content_is_the_same_each_time_and_another_each_time_it_is_made():
    content = LargeContent(3 * 256 * 1024 + 1)
    whole = b"".join(content)
    assert len(whole) == len(content) == 3 * 256 * 1024 + 1
    assert content.digest == f"sha256:{hashlib.sha256(whole).hexdigest()}"
    assert len({whole[begin : begin + 8] for begin in range(0, len(whole), 256 * 1024)}) == 4
    assert LargeContent(50).digest != LargeContent(50).digest


def test_large_content_is_sent_with_its_length_or_in_pieces(server, registry):
    content = LargeContent(300 * 1024)
    registry_asks.push_whole(registry, registry.begin_upload("p/r"), content)
    assert server.seen[-1][2]["Content-Length"] == str(300 * 1024)
    registry_asks.push_in_pieces(registry, registry.begin_upload("p/r"), content)
    method, _, headers, length = server.seen[-2]
    assert (method, headers["Transfer-Encoding"], length) == ("PATCH", "chunked", 300 * 1024)
    assert "Content-Length" not in headers


def test_an_upload_that_nobody_knows_has_no_status(registry):
    with pytest.raises(UnexpectedAnswer, match="404"):
        registry_asks.upload_range(registry, Upload("p/r", "/v2/p/r/blobs/uploads/gone"))
