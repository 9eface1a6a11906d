"""The registry's checks on a Harbor of a few lines: green on a sound one, red with every offender on a broken one."""

import secrets
from types import SimpleNamespace

import pytest

from harbor_verify import pull_pods
from harbor_verify.clients.image import Image, digest_of
from harbor_verify.clients.registry import Upload
from harbor_verify.errors import (
    DockerDaemonFailed,
    DockerRefused,
    NeedMissing,
    NoAnswer,
    NotApplicable,
    UnexpectedAnswer,
    WrongContent,
)
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from suites.registry import test_catalogue, test_replicas
from suites.registry.test_catalogue import (
    test_what_any_replica_took_appears_on_every_web_replica as appears,
)
from suites.registry.test_catalogue import (
    test_what_is_deleted_on_any_web_replica_is_gone_everywhere as deleted,
)
from suites.registry.test_kubelet import test_every_node_pulls_a_private_image_with_a_pull_secret as kubelet
from suites.registry.test_push_pull import test_busybox_is_pushed_pulled_back_unchanged_and_runs as push_pull
from suites.registry.test_replicas import (
    test_an_image_pushed_on_one_registry_replica_is_pulled_from_every_other as everywhere,
)
from suites.registry.test_replicas import (
    test_an_upload_begun_on_one_registry_replica_goes_on_at_another as continued,
)
from suites.registry.test_replicas import test_images_pushed_at_the_same_time_are_all_there as together
from suites.registry.test_replicas import (
    test_what_does_not_fit_its_digest_is_refused_by_every_replica as refused,
)
from tests.unit.running import examine, never, not_applicable, offenders_of


def new_image(size_bytes=16):
    return Image.make(secrets.token_bytes(16), run_id="r")


class Store:
    """What registries that share it know."""

    def __init__(self):
        self.blobs, self.manifests, self.uploads = {}, {}, {}


class FakeRegistry:
    """A registry replica: a store, and what is wrong with it."""

    def __init__(self, name, store, *, silent=False, lax=False, corrupts=False, tags=True, moves_tags=False):
        self.tags, self.moves_tags = tags, moves_tags
        self.http = SimpleNamespace(name=name, close=lambda: None)
        self.store, self.silent, self.lax, self.corrupts = store, silent, lax, corrupts

    def _answer(self):
        if self.silent:
            raise NoAnswer("no answer", sent=True)

    def push(self, image, repository, tag):
        for blob in (image.layer, image.configuration):
            self.finish(self.append(self.begin_upload(repository), blob), digest_of(blob))
        return self.push_manifest(repository, tag, image.manifest)

    def pull(self, repository, digest):
        manifest, _ = self.manifest(repository, digest)
        image = Image(manifest)
        return Image(
            manifest,
            self.blob(repository, image.configuration_digest),
            self.blob(repository, image.layer_digest),
        )

    def begin_upload(self, repository):
        self._answer()
        place = secrets.token_hex(4)
        self.store.uploads[place] = b""
        return Upload(repository, place)

    def append(self, upload, content):
        self._answer()
        if upload.place not in self.store.uploads:
            raise UnexpectedAnswer("PATCH → 404 BLOB_UPLOAD_UNKNOWN", status=404)
        self.store.uploads[upload.place] += content
        return Upload(upload.repository, upload.place, upload.sent_bytes + len(content))

    def finish(self, upload, digest):
        self._answer()
        content = self.store.uploads.pop(upload.place, None)
        if content is None or (digest_of(content) != digest and not self.lax):
            raise UnexpectedAnswer("PUT → 400 DIGEST_INVALID", status=400)
        self.store.blobs[upload.repository, digest] = content

    def cancel(self, upload):
        self._answer()
        self.store.uploads.pop(upload.place, None)

    def blob(self, repository, digest):
        self._answer()
        if (repository, digest) not in self.store.blobs:
            raise UnexpectedAnswer("GET → 404 BLOB_UNKNOWN", status=404)
        if self.corrupts:
            raise WrongContent("other bytes")
        return self.store.blobs[repository, digest]

    def push_manifest(self, repository, tag, manifest):
        self._answer()
        image = Image(manifest)
        known = {image.layer_digest, image.configuration_digest} <= {
            # Others push meanwhile.
            digest
            for _, digest in list(self.store.blobs)
        }
        if not known and not self.lax:
            raise UnexpectedAnswer("PUT → 400 MANIFEST_BLOB_UNKNOWN", status=400)
        self.store.manifests[repository, tag] = self.store.manifests[repository, image.digest] = manifest
        return image.digest

    def manifest(self, repository, reference):
        self._answer()
        if (repository, reference) not in self.store.manifests:
            raise UnexpectedAnswer("GET → 404 MANIFEST_UNKNOWN", status=404)
        if ":" not in reference and not self.tags:
            raise UnexpectedAnswer("GET → 404 MANIFEST_UNKNOWN", status=404)
        manifest = self.store.manifests[repository, reference]
        if ":" not in reference and self.moves_tags:
            manifest = next(other for other in self.store.manifests.values() if other != manifest)
        return manifest, digest_of(manifest)


class FakeWeb:
    """A web replica: the catalogue of a store, and what is wrong with it."""

    def __init__(
        self,
        name,
        store,
        *,
        deletes=True,
        broken=False,
        blind=False,
        forgets=0,
        keeps_row=False,
        nothing=None,
    ):
        """`nothing` is what it says of a repository that it does not know: no tags, or an error."""
        self.name, self.store, self.deletes, self.broken, self.blind = name, store, deletes, broken, blind
        self.forgets, self.keeps_row, self.asked, self.rows = forgets, keeps_row, 0, ()
        self.nothing = nothing

    def projects(self, name, credentials):
        return {name: 7}

    def repositories(self, project, credentials):
        if self.broken:
            raise UnexpectedAnswer("GET /api/repositories → 500", status=500)
        tagged = [repository for repository, tag in self.store.manifests if tag == "one"]
        self.rows = {*self.rows, *tagged} if self.keeps_row else tagged
        return [] if self.blind else list(self.rows)

    def tags(self, repository, credentials):
        self.asked += 1
        known = (repository, "one") in self.store.manifests and self.asked != self.forgets
        if self.nothing and not known:
            raise self.nothing
        return {"one": digest_of(self.store.manifests[repository, "one"])} if known else {}

    def delete_tag(self, repository, tag, credentials):
        if self.deletes:
            self.store.manifests = {key: m for key, m in self.store.manifests.items() if key[0] != repository}


def target(*registries, webs=(), takers=None):
    """`takers`: those that docker clients speak to, where it is not the registry's replicas."""

    def replicas(role):
        chosen = registries if role is Role.REGISTRY else webs
        names = [each.http.name if role is Role.REGISTRY else each.name for each in chosen]
        return [SimpleNamespace(name=name, object=f"pod {name}") for name in names]

    takers = registries if takers is None else takers
    by_name = {each.http.name: each for each in (*registries, *takers)}
    return SimpleNamespace(
        replicas=replicas,
        registry_api_replicas=lambda: [
            SimpleNamespace(name=each.http.name, object=f"pod {each.http.name}") for each in takers
        ],
        workload=lambda role: SimpleNamespace(object="harbor/registry-rc"),
        registry=lambda replica: by_name[replica.name],
        web=lambda replica: next(web for web in webs if web.name == replica.name),
        new_link=lambda replica: SimpleNamespace(of=by_name[replica.name], close=lambda: None),
        registry_by=lambda link, replica: link.of,
        credentials=None,
        user=None,
        client=None,
        access=SimpleNamespace(url="http://h"),
        registry_host="h",
        namespace="harbor",
        settings=Settings(),
        deployment=SimpleNamespace(nodes=lambda: [node("node-1"), node("node-2")]),
    )


def node(name):
    return SimpleNamespace(metadata=SimpleNamespace(name=name), spec=SimpleNamespace(unschedulable=None))


def three(*, shared=True, **of_the_last):
    store = Store()
    stores = [store if shared else Store() for _ in range(3)]
    flaws = [{}, {}, of_the_last]
    return [FakeRegistry(f"registry-{n}", stores[n], **flaws[n]) for n in range(3)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Clients that are made on the spot lead to the fakes; nobody waits for long."""
    monkeypatch.setattr(test_catalogue, "_LISTED_WITHIN_S", 0.2)


# registry.pushed-on-one-pulled-on-every, upload-continues-on-another-replica


def test_replicas_that_share_their_storage_are_one_registry():
    examine(everywhere, target(*three()), "p", new_image, never)
    examine(continued, target(*three()), "p", never, new_image)
    examine(together, target(*three()), "p", new_image)
    assert test_replicas._CLIENTS > 3, "each replica has several clients"


def test_storage_that_is_not_shared_is_seen_at_every_pair():
    offenders = offenders_of(everywhere, target(*three(shared=False)), "p", new_image, never)
    assert len(offenders) == 6
    assert {o.object for o in offenders} == {"pod registry-0", "pod registry-1", "pod registry-2"}
    assert "404" in offenders[0].observed
    assert offenders_of(together, target(*three(shared=False)), "p", new_image)


def test_a_replica_that_gives_other_bytes_or_none_is_named():
    for flaw in ({"corrupts": True}, {"silent": True}):
        for check, *words in ((everywhere, never), (together,)):
            offenders = offenders_of(check, target(*three(**flaw)), "p", new_image, *words)
            assert {o.object for o in offenders} == {"pod registry-2"}


def test_an_upload_that_cannot_go_on_is_cancelled_and_told_with_its_way():
    registries = three(shared=False)
    offenders = offenders_of(continued, target(*registries), "p", never, new_image)
    assert len(offenders) == 6, "one for each pair"
    assert offenders[0].object == "pod registry-1"
    assert (
        offenders[0].expected == "an upload begun on registry-0, continued on registry-1 ends on registry-2"
    )
    assert "BLOB_UPLOAD_UNKNOWN" in offenders[0].observed
    assert not any(registry.store.uploads for registry in registries)


def test_an_upload_is_read_back_whole_from_every_replica():
    offenders = offenders_of(continued, target(*three(corrupts=True)), "p", never, new_image)
    assert [o.object for o in offenders] == ["pod registry-2"] * 6
    assert "every byte" in offenders[0].expected
    assert offenders_of(continued, target(*three(silent=True)), "p", never, new_image)


def test_of_two_replicas_an_upload_ends_where_it_began():
    examine(continued, target(*three()[:2]), "p", never, new_image)


def test_one_replica_has_no_other():
    for check, words in (
        (everywhere, ("p", new_image, not_applicable)),
        (continued, ("p", not_applicable, new_image)),
    ):
        with pytest.raises(NotApplicable, match="one replica"):
            examine(check, target(FakeRegistry("registry-0", Store())), *words)


# registry.corrupted-blob-refused


def test_what_does_not_fit_is_refused_also_where_storage_is_not_shared():
    examine(refused, target(*three()), "p", new_image)
    examine(refused, target(*three(shared=False)), "p", new_image)


def test_a_registry_that_takes_anything_is_named_for_each_thing_it_takes():
    offenders = offenders_of(refused, target(*three(lax=True)), "p", new_image)
    assert {o.object for o in offenders} == {"pod registry-2"}
    assert [o.observed for o in offenders] == ["it was taken"] * 3


def test_a_registry_that_does_not_answer_has_refused_nothing():
    assert offenders_of(refused, target(*three(silent=True)), "p", new_image)[0].observed == "no answer"


# registry.repository-appears-in-harbor, delete-removes


def harbor_with(registries, *flaws, takers=None, **of_all):
    webs = [
        FakeWeb(f"ui-{n}", registries[0].store, **(flaws[n] if n < len(flaws) else of_all)) for n in range(3)
    ]
    return target(*registries, webs=webs, takers=takers)


def test_what_is_pushed_appears_and_what_is_deleted_goes():
    measured = {}
    examine(appears, harbor_with(three()), "p", new_image, measured)
    assert measured["listed_after_ms"] >= 0
    examine(deleted, harbor_with(three()), "p", new_image)


def test_a_web_replica_that_lists_nothing_or_fails_is_named():
    for flaw in ({"blind": True}, {"broken": True}):
        (offender,) = offenders_of(appears, harbor_with(three(), flaw), "p", new_image, {})
        assert offender.object == "pod ui-0"
        assert "p/appears-registry-2:one" in offender.expected
        (offender,) = offenders_of(deleted, harbor_with(three(), flaw), "p", new_image)
        assert offender.object == "pod ui-0"
        assert "to delete it" in offender.expected


def test_a_tag_that_is_listed_once_and_then_not_is_seen():
    """Of three registry replicas one may not have it: which of them a web replica asks is random."""
    offenders = offenders_of(appears, harbor_with(three(), {"forgets": 4}), "p", new_image, {})
    assert [o.object for o in offenders] == ["pod ui-0"]
    assert "each time it is asked" in offenders[0].expected
    assert "none" in offenders[0].observed
    sound = harbor_with(three())
    examine(appears, sound, "p", new_image, {})
    # Once each to see it listed; then all together as often as it takes to meet every registry replica.
    assert sum(sound.web(replica).asked for replica in sound.replicas(Role.WEB)) >= 9 + 18


def test_a_deletion_that_is_only_acknowledged_is_found_in_the_registry():
    offenders = offenders_of(deleted, harbor_with(three(), {"deletes": False}), "p", new_image)
    assert [o.observed for o in offenders if "registry" in o.object] == ["it is still there"] * 3
    assert [o.object for o in offenders if "ui" in o.object] == ["pod ui-0", "pod ui-1", "pod ui-2"]
    assert "has tag one" in offenders[-1].observed


GONE = UnexpectedAnswer("GET → 404", status=404)


def test_a_web_replica_may_say_that_there_is_no_such_repository_and_no_other_error():
    examine(appears, harbor_with(three(), nothing=GONE), "p", new_image, {})
    examine(deleted, harbor_with(three(), nothing=GONE), "p", new_image)
    down = {"nothing": UnexpectedAnswer("GET → 500", status=500)}
    assert offenders_of(deleted, harbor_with(three(), down), "p", new_image)[0].object == "pod ui-0"


def test_where_web_replicas_serve_docker_clients_they_take_and_the_registry_gives():
    registries = three()
    takers = [FakeRegistry(f"ui-{n}", registries[0].store, silent=n == 2) for n in range(3)]
    for check, *words in ((appears, {}), (deleted,), (refused,), (together,)):
        offenders = offenders_of(check, harbor_with(registries, takers=takers), "p", new_image, *words)
        assert {o.object for o in offenders} == {"pod ui-2"}
        examine(check, harbor_with(registries, takers=takers[:2]), "p", new_image, *words)
    lost = three(shared=False)
    offenders = offenders_of(
        together, harbor_with(lost, takers=[FakeRegistry("ui-0", lost[0].store)]), "p", new_image
    )
    assert {o.object for o in offenders} == {"pod registry-1", "pod registry-2"}


def test_a_registry_behind_harbor_that_knows_no_tags_is_sound():
    """Harbor 2.15 hands manifests on by digest: tags are in its database alone."""
    store = Store()
    registries = [FakeRegistry(f"registry-{n}", store, tags=False) for n in range(3)]
    takers = [FakeRegistry(f"core-{n}", store) for n in range(2)]
    examine(together, target(*registries, takers=takers), "p", new_image)


def test_a_tag_that_leads_to_another_image_is_seen_at_who_serves_docker_clients():
    registries = three()
    takers = [FakeRegistry(f"core-{n}", registries[0].store, moves_tags=n == 1) for n in range(2)]
    offenders = offenders_of(together, target(*registries, takers=takers), "p", new_image)
    assert {o.object for o in offenders} == {"pod core-1"}


def test_a_repository_that_stays_listed_without_a_tag_is_seen():
    (offender,) = offenders_of(deleted, harbor_with(three(), {}, {}, {"keeps_row": True}), "p", new_image)
    assert offender.object == "pod ui-2"
    assert offender.observed == "p/deleted-ui-0 is listed"


def test_what_is_not_on_every_registry_replica_before_cannot_be_deleted_there():
    offenders = offenders_of(deleted, harbor_with(three(shared=False)), "p", new_image)
    assert "pod registry-1" in {o.object for o in offenders}
    assert "before it is deleted" in offenders[0].expected


def test_a_push_that_is_refused_is_the_registrys():
    offenders = offenders_of(appears, harbor_with(three(silent=True)), "p", new_image, {})
    assert {o.object for o in offenders} == {"pod registry-2"}
    offenders = offenders_of(deleted, harbor_with(three(silent=True)), "p", new_image)
    assert {o.object for o in offenders} == {"pod registry-2"}


# registry.busybox-push-pull, kubelet-pulls-with-pull-secret


class FakeDocker:
    """A daemon and a registry behind it; it refuses the `after`-th time it is asked that."""

    def __init__(self, *, refuses=None, after=1, pulled=None, printed="hello", before="hello", removes=True):
        self.local, self.refuses, self.left, self.pulled = {"h/p/busybox:1": before}, refuses, after, pulled
        self.printed, self.removes, self.steps = printed, removes, []

    def step(self, name):
        self.steps.append(name)
        if self.refuses == name:
            self.left -= 1
            if self.left < 1:
                raise DockerRefused(f"docker {name}: denied")

    def login(self, registry, credentials):
        self.step("login")

    def tag(self, reference, other):
        self.local[other] = self.local[reference]

    def push(self, reference, credentials):
        self.step("push")
        return f"sha256:{reference}"

    def remove(self, reference):
        if self.removes:
            self.local.pop(reference, None)

    def has(self, reference):
        return reference in self.local

    def pull(self, reference, credentials):
        self.step("pull")
        self.local[reference] = self.printed
        return self.pulled or f"sha256:{reference}"

    def run(self, reference):
        return self.local[reference] + "\n"


IMAGE = SimpleNamespace(reference="h/p/busybox:1", message="hello")


def small_harbor():
    return harbor_with(three())


def test_an_image_that_comes_back_as_it_went_is_well_and_tried_on_every_replica():
    daemon = FakeDocker()
    examine(push_pull, small_harbor(), daemon, IMAGE)
    assert (daemon.steps.count("push"), daemon.steps.count("pull")) == (9, 9)
    assert not daemon.local


@pytest.mark.parametrize(
    "daemon, expected, observed",
    [
        (FakeDocker(refuses="login"), "can sign in to h", "docker login: denied; none"),
        (FakeDocker(refuses="push"), "can push", "docker push: denied; none"),
        (FakeDocker(refuses="push", after=9), "can push", "docker push: denied; 8 pushes of 9"),
        (FakeDocker(refuses="pull", after=9), "can pull what was pushed", "docker pull: denied"),
        (FakeDocker(pulled="sha256:2"), "sha256:h/p/busybox:1-0", "sha256:2"),
        (FakeDocker(printed="other"), "hello", "other"),
    ],
)
def test_an_image_that_does_not_come_back_says_at_which_step(daemon, expected, observed):
    offender = offenders_of(push_pull, small_harbor(), daemon, IMAGE)[0]
    assert expected in offender.expected
    assert observed in offender.observed
    assert not [reference for reference in daemon.local if reference != IMAGE.reference]


@pytest.mark.parametrize("daemon", [FakeDocker(pulled="sha256:2"), FakeDocker(printed="other")])
def test_after_the_first_image_that_is_another_nothing_more_is_tried(daemon):
    offenders_of(push_pull, small_harbor(), daemon, IMAGE)
    assert daemon.steps.count("pull") == 1


@pytest.mark.parametrize("daemon", [FakeDocker(before="nothing"), FakeDocker(removes=False)])
def test_a_daemon_that_cannot_show_anything_is_no_verdict(daemon):
    with pytest.raises(DockerDaemonFailed):
        examine(push_pull, small_harbor(), daemon, IMAGE)


@pytest.fixture
def kubelets(monkeypatch):
    """What the kubelets make of it: results by the number of the pull."""
    asked = SimpleNamespace(becomes=lambda number: {"printed": "hello"}, nodes=(), images=())
    asked.nodes_there, asked.note = ["node-1", "node-2"], ""

    def nodes_to_pull_on(target):
        if not asked.nodes_there:
            raise NeedMissing("no node")
        return asked.nodes_there, asked.note

    def run_on_each(target, nodes, images, credentials, *, run_id):
        asked.nodes, asked.images = nodes, images
        pulls = [(node, image) for node in nodes for image in images]
        return [pull_pods.Pulled(f"pod-{n}", *pull, **asked.becomes(n)) for n, pull in enumerate(pulls)]

    monkeypatch.setattr(pull_pods, "nodes_to_pull_on", nodes_to_pull_on)
    monkeypatch.setattr(pull_pods, "run_on_each", run_on_each)
    return asked


def test_every_node_pulls_often_enough_to_meet_every_replica(kubelets):
    examine(kubelet, small_harbor(), FakeDocker(), IMAGE, "r", never)
    assert kubelets.nodes == ["node-1", "node-2"]
    assert len(kubelets.images) == 9


def test_one_pull_of_many_that_fails_is_a_failure_in_the_kubelets_words(kubelets):
    kubelets.becomes = lambda n: {"error_message": "ErrImagePull: 401"} if n == 17 else {"printed": "hello"}
    (offender,) = offenders_of(kubelet, small_harbor(), FakeDocker(), IMAGE, "r", never)
    assert "node-2" in offender.object
    assert offender.observed == "ErrImagePull: 401"


def test_what_prints_something_else_is_another_image(kubelets):
    kubelets.becomes = lambda n: {"printed": "other"}
    assert len(offenders_of(kubelet, small_harbor(), FakeDocker(), IMAGE, "r", never)) == 18


def test_an_image_that_cannot_be_pushed_cannot_be_pulled(kubelets):
    (offender,) = offenders_of(kubelet, small_harbor(), FakeDocker(refuses="push"), IMAGE, "r", never)
    assert offender.expected == "the docker daemon can push"


def test_without_a_node_nothing_pulls(kubelets):
    kubelets.nodes_there = []
    with pytest.raises(NeedMissing, match="no node"):
        examine(kubelet, small_harbor(), FakeDocker(), IMAGE, "r", never)


def test_nodes_that_are_not_asked_are_told(kubelets):
    kubelets.note, told = "12 nodes pull; not asked: 488 more like them", []
    examine(kubelet, small_harbor(), FakeDocker(), IMAGE, "r", told.append)
    assert told == [kubelets.note]
