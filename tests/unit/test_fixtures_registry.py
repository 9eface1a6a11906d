"""The registry's client against a registry of a few lines, with the traps of real ones."""

from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import MANIFEST_TYPE, MANIFEST_TYPES, Image, digest_of
from harbor_verify.clients.registry import (
    USER_AGENT,
    BackendRegistry,
    Registry,
    Upload,
    by_password,
    by_token,
)
from harbor_verify.errors import UnexpectedAnswer, WrongContent
from tests.unit.local_server import AnsweringHandler, LocalServer

IMAGE = Image.make(b"content", run_id="r1")
NAME = "p/r"


class FakeRegistry(AnsweringHandler):
    """Takes and gives blobs and manifests, as `server.state` says."""

    def handle_one_request(self):
        self.state = self.server.state
        super().handle_one_request()

    def taken(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.state.seen.append((self.command, self.path, dict(self.headers), body))
        return body

    def place(self):
        """Where the upload goes on: each time somewhere else, at the host that the registry takes itself for."""
        upload = self.state.upload
        self.state.step += 1
        return {"Location": self.state.location.format(step=self.state.step, size=len(upload))}

    def do_POST(self):
        self.taken()
        self.state.upload = b""
        self.answer(202, **self.place())

    def do_PATCH(self):
        self.state.upload += self.taken()
        self.answer(202, **self.place())

    def do_PUT(self):
        body = self.taken()
        if "/manifests/" in self.path:
            self.state.kept[self.path.rpartition("/")[2]] = body
            self.state.kept[digest_of(body)] = body
            digest = self.state.acknowledges or digest_of(body)
            return self.answer(201, Docker_Content_Digest=digest)
        (digest,) = parse_qs(urlsplit(self.path).query)["digest"]
        if digest != digest_of(self.state.upload):
            return self.answer(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        self.state.kept[digest] = self.state.upload
        return self.answer(201)

    def do_DELETE(self):
        self.taken()
        self.answer(self.state.cancels)

    def do_GET(self):
        self.taken()
        content = self.state.kept.get(self.path.rpartition("/")[2])
        if content is None:
            return self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        digest = {} if self.state.tells_no_digest else {"Docker_Content_Digest": digest_of(content)}
        return self.answer(200, content[: self.state.gives], **digest)


@pytest.fixture
def state():
    return SimpleNamespace(
        kept={},
        seen=[],
        upload=b"",
        step=0,
        location="http://registry.internal:5000/v2/p/r/blobs/uploads/u?_state={step}",
        acknowledges="",
        gives=None,
        tells_no_digest=False,
        cancels=204,
    )


@pytest.fixture
def registry(state):
    with (
        LocalServer(("127.0.0.1", 0), FakeRegistry).running() as server,
        HttpClient("registry-0", server.url, timeouts_s=(1, 1)) as http,
    ):
        server.state = state
        yield Registry(http, by_token(lambda scope: f"token-for-{scope}"))


def test_what_is_pushed_is_pulled_again_by_tag_and_digest(registry):
    assert registry.push(IMAGE, NAME, "one") == IMAGE.digest
    assert registry.pull(NAME, "one") == registry.pull(NAME, IMAGE.digest) == IMAGE
    assert registry.manifest(NAME, "one") == (IMAGE.manifest, IMAGE.digest)
    assert registry.blob(NAME, IMAGE.layer_digest) == IMAGE.layer


def test_each_request_asks_for_the_scope_that_it_needs_and_calls_itself_docker(registry, state):
    registry.push(IMAGE, NAME, "one")
    registry.pull(NAME, "one")
    for method, _, headers, _ in state.seen:
        actions = "pull" if method == "GET" else "push,pull"
        assert headers["Authorization"] == f"Bearer token-for-repository:{NAME}:{actions}"
        assert headers["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith("docker"), "Harbor 1.2 lists nothing of others"


def test_a_password_goes_whatever_the_scope(registry, state):
    login = Credentials("inner", "hush")
    Registry(registry.http, by_password(login)).push(IMAGE, NAME, "one")
    assert {headers["Authorization"] for _, _, headers, _ in state.seen} == {"Basic aW5uZXI6aHVzaA=="}


class Front:
    """The front door: what is pushed there, and what it refuses."""

    def __init__(self, refuses=()):
        self.refuses, self.blobs, self.manifests = refuses, {}, {}

    def push_blob(self, repository, content):
        if content in self.refuses:
            raise UnexpectedAnswer("PUT → 500", status=500)
        self.blobs[repository, digest_of(content)] = content

    def push_manifest(self, repository, reference, manifest):
        self.manifests[repository, reference] = manifest


def test_what_a_backend_took_is_handed_over_once_read_from_a_replica_that_is_there(registry):
    backend, front = BackendRegistry(registry.http, by_token(lambda scope: None)), Front()
    backend.push(IMAGE, NAME, "one")
    backend.push_manifest("p/other", IMAGE.digest, IMAGE.manifest)
    gone = HttpClient("registry-1", "http://127.0.0.1:1", timeouts_s=(1, 1))
    backend.http = gone
    backend.hand_over(registry, front)
    assert set(front.blobs) == {(NAME, IMAGE.layer_digest), (NAME, IMAGE.configuration_digest)}
    assert front.manifests == {(NAME, "one"): IMAGE.manifest, ("p/other", IMAGE.digest): IMAGE.manifest}
    backend.hand_over(registry, again := Front())
    assert not again.blobs
    assert not again.manifests


def test_what_a_backend_refused_or_has_lost_is_not_handed_over_and_keeps_nothing_else_back(registry, state):
    backend, front = (
        BackendRegistry(registry.http, by_token(lambda scope: None)),
        Front([IMAGE.configuration]),
    )
    with pytest.raises(UnexpectedAnswer):
        backend.finish(backend.append(backend.begin_upload(NAME), b"x"), IMAGE.layer_digest)
    backend.push(IMAGE, NAME, "one")
    lost = backend.push_blob(NAME, b"lost")
    del state.kept[lost]
    backend.hand_over(registry, front)
    assert set(front.blobs) == {(NAME, IMAGE.layer_digest)}
    assert set(front.manifests) == {(NAME, "one")}


def test_nobody_sends_no_token(registry, state):
    anonymous = Registry(registry.http)
    with pytest.raises(UnexpectedAnswer, match="404"):
        anonymous.blob(NAME, IMAGE.layer_digest)
    assert "Authorization" not in state.seen[0][2]


def test_an_upload_goes_on_where_the_last_answer_said_but_at_the_same_replica(registry, state):
    """The host in a Location is what the registry takes itself for: behind another name it leads elsewhere."""
    upload = registry.begin_upload(NAME)
    assert upload == Upload(NAME, "/v2/p/r/blobs/uploads/u?_state=1", 0)
    upload = registry.append(upload, b"first")
    upload = registry.append(upload, b"second")
    assert (upload.place, upload.sent_bytes) == ("/v2/p/r/blobs/uploads/u?_state=3", 11)
    registry.finish(upload, digest_of(b"firstsecond"))
    paths = [path for _, path, *_ in state.seen]
    assert paths[1:3] == [f"/v2/p/r/blobs/uploads/u?_state={step}" for step in (1, 2)]
    assert paths[3] == f"/v2/p/r/blobs/uploads/u?_state=3&digest={digest_of(b'firstsecond')}"
    assert state.kept[digest_of(b"firstsecond")] == b"firstsecond"


def test_a_second_chunk_says_where_it_belongs(registry, state):
    upload = registry.append(registry.begin_upload(NAME), b"first")
    registry.append(upload, b"second")
    ranges = [headers.get("Content-Range") for method, _, headers, _ in state.seen if method == "PATCH"]
    assert ranges == [None, "5-10"]


@pytest.mark.parametrize(
    "location, place, last",
    [
        ("/v2/p/r/blobs/uploads/u", "/v2/p/r/blobs/uploads/u", "/v2/p/r/blobs/uploads/u?digest="),
        ("http://h/v2/u?a=b%2Fc", "/v2/u?a=b%2Fc", "/v2/u?a=b%2Fc&digest="),
    ],
)
def test_a_location_is_kept_as_it_is_with_or_without_host_and_query(registry, state, location, place, last):
    state.location = location
    upload = registry.begin_upload(NAME)
    assert upload.place == place
    registry.finish(upload, digest_of(b""))
    assert state.seen[-1][1] == last + digest_of(b"")


@pytest.mark.parametrize("location", ["", "http://registry.internal:5000"])
def test_an_answer_that_does_not_say_where_to_go_on_is_told(registry, state, location):
    state.location = location
    with pytest.raises(UnexpectedAnswer, match=r"POST /v2/p/r/blobs/uploads/ → 202.* without a Location"):
        registry.begin_upload(NAME)


def test_an_upload_that_does_not_fit_its_digest_is_refused_with_what_the_registry_said(registry):
    upload = registry.append(registry.begin_upload(NAME), b"other")
    with pytest.raises(UnexpectedAnswer, match="DIGEST_INVALID") as refused:
        registry.finish(upload, IMAGE.layer_digest)
    assert refused.value.status == 400
    assert "_state" not in str(refused.value), "the state of an upload is signed: it is nobody's business"


@pytest.mark.parametrize("status", [204, 404])
def test_an_upload_can_be_cancelled_also_when_it_is_gone(registry, state, status):
    state.cancels = status
    registry.cancel(Upload(NAME, "/v2/p/r/blobs/uploads/u"))
    assert state.seen[-1][:2] == ("DELETE", "/v2/p/r/blobs/uploads/u")


def test_an_upload_that_is_not_forgotten_is_told(registry, state):
    state.cancels = 500
    with pytest.raises(UnexpectedAnswer, match="500"):
        registry.cancel(Upload(NAME, "/v2/p/r/blobs/uploads/u"))


def test_bytes_of_another_digest_are_wrong_content(registry, state):
    registry.push(IMAGE, NAME, "one")
    state.kept[IMAGE.layer_digest] = b"other"
    with pytest.raises(
        WrongContent, match=f"5 bytes of digest {digest_of(b'other')}, not {IMAGE.layer_digest}"
    ):
        registry.pull(NAME, "one")


def test_a_manifest_that_came_only_in_part_is_wrong_content(registry, state):
    registry.push(IMAGE, NAME, "one")
    state.gives = 10
    for reference in ("one", IMAGE.digest):
        with pytest.raises(WrongContent, match="10 bytes"):
            registry.manifest(NAME, reference)


def test_a_manifest_without_a_digest_is_good_by_digest_only(registry, state):
    registry.push(IMAGE, NAME, "one")
    state.tells_no_digest = True
    assert registry.manifest(NAME, IMAGE.digest) == (IMAGE.manifest, IMAGE.digest)
    with pytest.raises(WrongContent, match=r"not \(none was told\)"):
        registry.manifest(NAME, "one")


def test_a_manifest_of_another_kind_is_no_image_of_ours(registry):
    registry.push_manifest(NAME, "index", b'{"manifests": []}')
    with pytest.raises(WrongContent, match="p/r:index is no image of one layer"):
        registry.pull(NAME, "index")


def test_a_push_that_is_acknowledged_as_another_is_wrong_content(registry, state):
    state.acknowledges = digest_of(b"other")
    with pytest.raises(WrongContent, match=f"acknowledges {digest_of(b'other')}, not {IMAGE.digest}"):
        registry.push_manifest(NAME, "one", IMAGE.manifest)


def test_manifests_are_pushed_as_docker_schema_2_and_taken_as_oci_images_too(registry, state):
    registry.push_manifest(NAME, "one", IMAGE.manifest)
    registry.manifest(NAME, "one")
    assert state.seen[0][2]["Content-Type"] == MANIFEST_TYPE
    assert state.seen[1][2]["Accept"].split(", ") == list(MANIFEST_TYPES)
