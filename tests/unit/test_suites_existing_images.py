"""The check of images that are there, on a Harbor of a few lines."""

import json
from types import SimpleNamespace

import pytest
import requests

from harbor_verify import cleanup
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.errors import NotApplicable, UnexpectedAnswer
from harbor_verify.profiles import harbor_1_2, harbor_2
from suites.registry import test_existing_images
from tests.unit.running import examine, never, not_applicable, offenders_of

CHECK = test_existing_images.test_images_that_are_there_have_all_their_layers
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
MANIFEST = {"config": {"digest": "sha256:c"}, "layers": [{"digest": "sha256:a"}, {"digest": "sha256:b"}]}


class Registry:
    """Gives manifests and blobs; `vouched` are those that HEAD alone finds, `lost` those that nobody does.

    Of `promised` ones GET says 206, and gives nothing: the end of the body, or that the connection breaks.
    """

    def __init__(self, manifests, vouched=(), lost=(), promised=None, deleted=False):
        self.manifests, self.vouched, self.lost, self.deleted = manifests, vouched, lost, deleted
        self.promised = promised or {}
        self.asked = []

    def manifest(self, repository, reference):
        if self.deleted and self.asked:
            raise UnexpectedAnswer("GET → 404", status=404)
        return json.dumps(self.manifests[reference]).encode(), reference

    def ask_blob(self, method, repository, digest, **more):
        self.asked.append((method, digest))
        gone = digest in self.lost or (digest in self.vouched and method == "GET")
        status = 404 if gone else 206 if method == "GET" else 200
        request = SimpleNamespace(method=method, path_url=f"/{digest}")

        def iter_content(size):
            if broken := self.promised.get(digest):
                raise broken
            return iter([] if digest in self.promised else [b"x"])

        return SimpleNamespace(
            status_code=status,
            reason="",
            request=request,
            headers={},
            iter_content=iter_content,
            close=lambda: None,
        )


def harbor(monkeypatch, registry, projects=("library",), proxies=()):
    monkeypatch.setattr(cleanup, "leftovers", lambda target: ["verify-own"])
    listed = {name: Project(name, n, name in proxies) for n, name in enumerate(projects)}

    def some_images(project, credentials, *, most):
        return [(f"{project.name}/app", "sha256:m")]

    front = SimpleNamespace(projects=lambda name, login: listed, some_images=some_images, http=None)
    return SimpleNamespace(
        url="https://h",
        credentials=Credentials("admin", "x"),
        front_door=front,
        front_registry_for_all=lambda link: registry,
    )


def test_an_image_of_which_every_layer_is_given_is_well(monkeypatch):
    registry, measured = Registry({"sha256:m": MANIFEST}), {}
    examine(CHECK, harbor(monkeypatch, registry), never, measured)
    assert {digest for method, digest in registry.asked if method == "GET"} == {
        "sha256:c",
        "sha256:a",
        "sha256:b",
    }
    assert measured == {"images_looked_at_count": 1}


def test_a_layer_that_the_cache_vouches_for_and_nobody_has_is_told(monkeypatch):
    """A garbage collection was stopped before it emptied the registry's Redis."""
    registry = Registry({"sha256:m": MANIFEST}, vouched={"sha256:b"})
    (offender,) = offenders_of(CHECK, harbor(monkeypatch, registry), never, {})
    assert offender.object == "image library/app@sha256:m"
    assert offender.observed == "HEAD says that layer sha256:b is there, and GET does not give it (404)"


@pytest.mark.parametrize(
    "ends, told",
    [(None, "206, and not a byte"), (requests.ConnectionError("closed"), "breaks off: closed")],
    ids=["empty", "broken"],
)
def test_a_layer_that_is_promised_and_does_not_come_is_told(monkeypatch, ends, told):
    """So a registry answers which has its file system: it opens the file when the status is said."""
    registry = Registry({"sha256:m": MANIFEST}, promised={"sha256:b": ends})
    (offender,) = offenders_of(CHECK, harbor(monkeypatch, registry), never, {})
    assert offender.observed.startswith("HEAD says that layer sha256:b is there, and GET does not give it (")
    assert told in offender.observed


def test_a_layer_that_is_lost_is_told(monkeypatch):
    registry = Registry({"sha256:m": MANIFEST}, lost={"sha256:a"})
    (offender,) = offenders_of(CHECK, harbor(monkeypatch, registry), never, {})
    assert offender.observed == "layer sha256:a is not there (404)"


def test_an_image_that_somebody_deletes_meanwhile_is_nobodys_failure(monkeypatch):
    registry = Registry({"sha256:m": MANIFEST}, lost={"sha256:a"}, deleted=True)
    examine(CHECK, harbor(monkeypatch, registry), never, {})


def test_of_an_index_its_first_image_is_looked_at_and_layers_from_elsewhere_are_not(monkeypatch):
    windows = {"layers": [{"digest": "sha256:f", "mediaType": FOREIGN}, {"digest": "sha256:a"}]}
    manifests = {"sha256:m": {"manifests": [{"digest": "sha256:w"}]}, "sha256:w": windows}
    registry = Registry(manifests, lost={"sha256:f"})
    examine(CHECK, harbor(monkeypatch, registry), never, {})
    assert ("HEAD", "sha256:a") in registry.asked


def test_proxy_caches_and_what_is_the_suites_own_are_left_alone(monkeypatch):
    asked = harbor(monkeypatch, Registry({}), projects=("hub", "verify-own"), proxies={"hub"})
    with pytest.raises(NotApplicable, match="no image is there yet"):
        examine(CHECK, asked, not_applicable, {})


def test_of_many_projects_a_sample_is_looked_at(monkeypatch):
    names, measured = [f"team-{number:03}" for number in range(100)], {}
    examine(CHECK, harbor(monkeypatch, Registry({"sha256:m": MANIFEST}), projects=names), never, measured)
    assert measured["images_looked_at_count"] <= 12


def test_some_images_of_a_project_are_asked_for_with_few_questions():
    answers = {
        "/api/v2.0/projects/library/repositories": [{"name": "library/a/b"}, {"name": "library/empty"}],
        "/api/v2.0/projects/library/repositories/a%252Fb/artifacts": [{"digest": "sha256:m"}],
        "/api/v2.0/projects/library/repositories/empty/artifacts": [],
    }

    def get(path, **_):
        return SimpleNamespace(status_code=200, json=lambda: answers[path])

    api = harbor_2.PROFILE.api(SimpleNamespace(get=get))
    found = api.some_images(Project("library", 1), Credentials("admin", "x"), most=2)
    assert found == [("library/a/b", "sha256:m")]


def test_harbor_1_2_gives_a_tag_of_each_repository(monkeypatch):
    api = harbor_1_2.PROFILE.api(SimpleNamespace())
    monkeypatch.setattr(api, "repositories", lambda project, login: ["p/a", "p/empty", "p/c"])
    monkeypatch.setattr(api, "tags", lambda name, login: {"1": "", "2": ""} if name == "p/a" else {})
    assert api.some_images(Project("p", 1), Credentials("admin", "x"), most=2) == [("p/a", "1")]


def test_a_front_door_that_lists_nothing_is_told(monkeypatch):
    asked = harbor(monkeypatch, Registry({}))

    def projects(name, login):
        raise UnexpectedAnswer("GET /api/v2.0/projects → 500", status=500)

    asked.front_door.projects = projects
    (offender,) = offenders_of(CHECK, asked, never, {})
    assert "500" in offender.observed
