"""The checks of images that are there, of what Redis vouches for, and of what is left over."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.audit import harbor as parts
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.errors import CannotTell, NotApplicable, StoreRefused, UnexpectedAnswer
from harbor_verify.model.contents import BlobRow
from harbor_verify.profiles import harbor_1_2, harbor_2
from suites.integrity import test_cache, test_images, test_leftovers
from tests.unit.damaged_registry import DamagedRegistry, Storage
from tests.unit.ledgers import MemoryLedger
from tests.unit.running import examine, never, not_applicable, offenders_of

IMAGES = test_images.test_images_that_are_there_are_whole
CACHE = test_cache.test_redis_vouches_for_what_is_there
LEFT = test_leftovers.test_no_blob_was_left_in_deletion
ORPHANS = test_leftovers.test_storage_holds_what_the_database_knows


@pytest.fixture
def stored():
    return Storage()


@pytest.fixture
def server(stored, monkeypatch):
    with DamagedRegistry(stored).running() as server:
        monkeypatch.setattr(parts, "sources", lambda target: [server.source("pod registry-0")])
        yield server


@pytest.fixture
def harbor(monkeypatch, server):
    """`harbor(known, projects=…)`: one whose API knows these."""

    def make(known=(), projects=("p",), proxies=(), deleted=()):
        listed = {name: Project(name, number, name in proxies) for number, name in enumerate(projects)}
        there = [each for each in known if each not in deleted]
        front = SimpleNamespace(
            projects=lambda name, login: listed,
            some_images=lambda project, login, *, most: [
                (each.repository, each.digest) for each in known[:1]
            ],
            repositories=lambda project, login: sorted({each.repository for each in known}),
            artifacts=lambda name, login: [each.digest for each in known if each.repository == name],
            has_artifact=lambda name, digest, login: digest in {each.digest for each in there},
        )
        ledger = MemoryLedger()
        ledger.made("project", "verify-own")
        return SimpleNamespace(
            url="https://h", credentials=Credentials("admin", "x"), front_door=front, ledger=ledger
        )

    return make


def ask(harbor, measured=None):
    return (harbor, never, {} if measured is None else measured, lambda text: None, 7)


def test_images_that_are_whole_are_well(harbor, stored):
    measured = {}
    known = [stored.push(f"p/r{number}", content=bytes([number]))[1] for number in range(3)]
    examine(IMAGES, *ask(harbor(known), measured))
    assert measured["images_looked_at_count"] >= 2
    assert measured["read_bytes"] > 0


@pytest.mark.parametrize(
    "damage, told",
    [
        (lambda files, digest: files.pop(digest), "stale in Redis: GET is 200 and announces"),
        (lambda files, digest: files.update({digest: b"x"}), "truncated: 1 of"),
        (lambda files, digest: files.update({digest: bytes(len(files[digest]))}), "other bytes:"),
    ],
)
def test_a_damaged_layer_is_told_with_its_image_and_replica(harbor, stored, damage, told):
    (image, known), (_, whole) = stored.push("p/r"), stored.push("p/whole", content=b"whole")
    damage(stored.files, image.layer_digest)
    (offender,) = offenders_of(IMAGES, *ask(harbor([known, whole])))
    assert offender.object == f"image {known}"
    assert offender.observed.startswith(f"{image.layer_digest} at pod registry-0: {told}")


def test_an_image_that_somebody_deletes_meanwhile_is_nobodys_failure(harbor, stored):
    image, known = stored.push("p/r")
    del stored.files[image.layer_digest]
    examine(IMAGES, *ask(harbor([known], deleted=[known])))


def test_a_registry_that_is_silent_is_told(harbor, stored, server, monkeypatch):
    monkeypatch.setattr("harbor_verify.audit.reading._PAUSES_S", (0, 0))
    server.silent = True
    (offender,) = offenders_of(IMAGES, *ask(harbor([stored.push("p/r")[1]])))
    assert offender.object == "registry replicas"
    assert "no answer" in offender.observed


def test_what_a_registry_refuses_is_not_known_to_be_whole(harbor, stored, monkeypatch):
    monkeypatch.setattr("harbor_verify.audit.reading._PAUSES_S", (0, 0))
    image, known = stored.push("p/r")
    stored.seldom[image.layer_digest] = [503] * 9
    with pytest.raises(CannotTell, match="503"):
        examine(IMAGES, *ask(harbor([known])))


def test_proxy_caches_and_what_is_the_suites_own_are_left_alone(harbor, stored):
    asked = harbor([stored.push("p/r")[1]], projects=("hub", "verify-own"), proxies={"hub"})
    with pytest.raises(NotApplicable, match="no image is there yet"):
        examine(IMAGES, asked, not_applicable, {}, lambda text: None, 7)


def test_a_front_door_that_lists_nothing_is_told(harbor):
    asked = harbor()

    def projects(name, login):
        raise UnexpectedAnswer("GET /projects → 500", status=500)

    asked.front_door.projects = projects
    (offender,) = offenders_of(IMAGES, *ask(asked))
    assert "500" in offender.observed


@pytest.fixture
def cached(monkeypatch, harbor, stored):
    @contextmanager
    def redis(target, store):
        yield stored

    monkeypatch.setattr(parts, "cache_of", lambda target: "redis:6379, database 2")
    monkeypatch.setattr(parts, "open_cache", redis)
    monkeypatch.setattr(parts, "knows_repository", lambda target, name: name.startswith("p/"))
    return harbor


def test_a_redis_that_vouches_for_what_is_there_is_well(cached, stored):
    stored.push("p/r")
    measured = {}
    examine(CACHE, cached(), never, measured)
    assert measured == {"descriptors_asked_for_count": 2}


def test_an_empty_redis_is_well(cached):
    examine(CACHE, cached(), never, {})


@pytest.mark.parametrize("repository, whose", [("p/r", "p/r"), ("q/r", "q/r, which Harbor has not")])
def test_a_redis_that_vouches_for_what_is_gone_is_told(cached, stored, repository, whose):
    image, _ = stored.push(repository)
    del stored.files[image.layer_digest]
    (offender,) = offenders_of(CACHE, cached(), never, {})
    assert offender.object == "Redis redis:6379, database 2"
    assert offender.observed.startswith(f"{image.layer_digest} of {whose}: it vouches for")


def test_a_redis_that_vouches_for_what_one_replica_alone_lacks_is_right(cached, stored, server, monkeypatch):
    image, _ = stored.push("p/r")
    less = Storage()
    less.files, less.links, less.redis = dict(stored.files), stored.links, stored.redis
    del less.files[image.layer_digest]
    with DamagedRegistry(less).running() as other:
        sources = [each.source(f"pod registry-{number}") for number, each in enumerate((server, other))]
        if int(image.layer_digest[-8:], 16) % 2 == 0:
            sources.reverse()  # so that it is asked first
        monkeypatch.setattr(parts, "sources", lambda target: sources)
        (offender,) = offenders_of(CACHE, cached(), never, {})
    assert (offender.object, offender.observed.partition(":")[0]) == ("pod registry-1", "sha256")


def test_a_redis_that_refuses_to_be_read_says_nothing_of_blobs(cached, monkeypatch):
    def refuse(*_):
        raise StoreRefused("AUTH called without any password configured")

    harbor = cached()
    monkeypatch.setattr(test_cache.cache, "links", refuse)
    with pytest.raises(CannotTell, match="without any password"):
        examine(CACHE, harbor, never, {})


def test_without_a_redis_the_check_is_about_nothing(cached, monkeypatch):
    monkeypatch.setattr(parts, "cache_of", lambda target: None)
    with pytest.raises(NotApplicable):
        examine(CACHE, cached(), not_applicable, {})


def recorded(monkeypatch, *, left=(), known=(), printed=""):
    contents = SimpleNamespace(
        left_deleting=lambda sql, older: list(left), recorded=lambda sql, digests: set(known)
    )

    @contextmanager
    def database(target):
        yield None

    monkeypatch.setattr(test_leftovers, "harbors_database", database)
    monkeypatch.setattr(parts, "root_of", lambda target, replica: "/storage")
    outputs = iter([printed])
    monkeypatch.setattr(
        test_leftovers.running_replicas, "output_of", lambda target, replica, argv: next(outputs, "900000\n")
    )
    replica = SimpleNamespace(object="pod registry-0", ready=True)
    return SimpleNamespace(
        profile=SimpleNamespace(name="new", contents=contents), replicas=lambda role: [replica]
    )


def test_a_blob_that_was_left_in_deletion_is_told(monkeypatch):
    examine(LEFT, recorded(monkeypatch))
    asked = recorded(monkeypatch, left=[BlobRow("sha256:d", 5, "deletefailed", 7200)])
    (offender,) = offenders_of(LEFT, asked)
    assert offender.observed == "sha256:d (5 bytes): status deletefailed for 2.0 h"


def test_files_that_the_database_does_not_know_are_told(monkeypatch):
    digest = f"sha256:aa{'0' * 62}"
    printed, measured = f"5 1000 aa/{digest[7:]}/data\n900000\n", {}
    examine(ORPHANS, recorded(monkeypatch, known=[digest], printed=printed), never, measured, 7)
    assert measured == {"files_looked_at_count": 1}
    (offender,) = offenders_of(ORPHANS, recorded(monkeypatch, printed=printed), never, {}, 7)
    assert offender.object == "pod registry-0"
    assert offender.observed.startswith(f"{digest}: 5 bytes, written")


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


def test_harbor_1_2_gives_a_tag_of_each_repository_and_digests_by_tags(monkeypatch):
    api, admin = harbor_1_2.PROFILE.api(SimpleNamespace()), Credentials("admin", "x")
    monkeypatch.setattr(api, "repositories", lambda project, login: ["p/a", "p/empty", "p/c"])
    held = {"p/a": {"1": "sha256:m", "2": "sha256:m"}}
    monkeypatch.setattr(api, "tags", lambda name, login: held.get(name, {}))
    assert api.some_images(Project("p", 1), admin, most=2) == [("p/a", "1")]
    assert list(api.artifacts("p/a", admin)) == ["sha256:m"]
    assert api.has_artifact("p/a", "sha256:m", admin)
    assert not api.has_artifact("p/empty", "sha256:m", admin)


def test_harbor_2_lists_artifacts_a_page_at_a_time_and_asks_for_one():
    asked = []

    def get(path, params=None, **_):
        asked.append((path, params))
        if params is None:
            return SimpleNamespace(status_code=404 if path.endswith("gone") else 200)
        batch = [{"digest": f"sha256:{number}"} for number in range(100 if params["page"] == 1 else 5)]
        return SimpleNamespace(status_code=200, json=lambda: batch)

    api = harbor_2.PROFILE.api(SimpleNamespace(get=get))
    assert len(list(api.artifacts("p/a/b", None))) == 105
    assert [params["page"] for _, params in asked] == [1, 2]
    assert api.has_artifact("p/r", "sha256:1", None)
    assert not api.has_artifact("p/r", "gone", None)
