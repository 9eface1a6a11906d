"""Images built in the classic ways: what is compared when they come back, and what turns their checks red."""

import gzip
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harbor_verify.builds import comparison, ladder
from harbor_verify.builds.bases import Bases
from harbor_verify.builds.ladder import WELCOME, Built, Ladder, Way
from harbor_verify.clients import docker_build
from harbor_verify.clients.docker import Pushed
from harbor_verify.clients.docker_build import BuildFailed, DoesNotRun, Ended
from harbor_verify.errors import (
    CannotTell,
    DockerDaemonFailed,
    DockerRefused,
    NeedMissing,
    NoAnswer,
    WrongContent,
)
from harbor_verify.findings import Findings
from harbor_verify.server_pods import Served
from suites.images import test_builds as checks
from tests.unit.running import examine, offenders_of


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


LAYER = gzip.compress(b"files of the base", mtime=0)
CONFIGURATION = json.dumps({"rootfs": {"diff_ids": ["sha256:base", "sha256:server"]}}).encode()


def manifest_of(*blobs, size_of=len):
    described = [{"digest": digest_of(blob), "size": size_of(blob)} for blob in blobs]
    return json.dumps({"config": described[0], "layers": described[1:]}).encode()


MANIFEST = manifest_of(CONFIGURATION, LAYER)
TOTAL = len(MANIFEST) + len(CONFIGURATION) + len(LAYER)


def built(way=Way.STATIC_ON_SMALL, **given):
    facts = {
        "layers": ("sha256:base", "sha256:server"),
        "history": ("CMD /server", "ADD base"),
        "size_bytes": 9_000_000,
        "pushed": Pushed(digest_of(MANIFEST), ("server",), ("base",)),
    }
    return Built(way, f"h/project/{way}:run", **(facts | given))


class FakeRegistry:
    """Gives what was pushed, but for what a test has spoiled."""

    def __init__(self, manifest=MANIFEST, lacks=(), lengths=None, configuration=CONFIGURATION, spoiled=()):
        self._manifest, self._lacks, self._lengths = manifest, lacks, lengths or {}
        self._configuration, self._spoiled = configuration, spoiled

    def manifest(self, repository, digest):
        return self._manifest, digest_of(self._manifest)

    def stream(self, digest):
        if digest in self._lacks:
            raise NoAnswer(f"GET {digest} → 404", sent=True)
        blobs = {digest_of(blob): blob for blob in (LAYER, CONFIGURATION)}
        came = "sha256:other" if digest in self._spoiled else digest
        return came, self._lengths.get(digest, len(blobs.get(digest, b"")))

    def blob(self, repository, digest):
        return self._configuration


@pytest.fixture(autouse=True)
def streams(monkeypatch):
    """Blobs come as the fake registry says."""
    monkeypatch.setattr(
        comparison.registry_asks,
        "stream_digest",
        lambda registry, repository, digest: registry.stream(digest),
    )


def compared(registry):
    findings = Findings()
    total = comparison.compare(findings, "pod h/registry-0", registry, built(), digest_of(MANIFEST))
    return total, [offender.observed for offender in findings.offenders]


def test_an_image_that_comes_back_as_it_was_is_measured_whole():
    assert compared(FakeRegistry()) == (TOTAL, [])


@pytest.mark.parametrize(
    "registry, observed",
    [
        (FakeRegistry(lacks={digest_of(LAYER)}), "404"),
        (FakeRegistry(lengths={digest_of(LAYER): 3}), "has 3 bytes, and the manifest says"),
        (FakeRegistry(spoiled={digest_of(LAYER)}), "of digest sha256:other"),
        (FakeRegistry(manifest=b"[]"), "no manifest of an image"),
        (FakeRegistry(configuration=b'{"rootfs": {"diff_ids": ["sha256:other"]}}'), "sha256:other"),
        (FakeRegistry(configuration=b"{}"), "names layers ()"),
    ],
)
def test_what_came_back_otherwise_is_told(registry, observed):
    [told] = compared(registry)[1]
    assert observed in told


class FakeDocker:
    """Pulls what was pushed."""

    def __init__(self, digest="", error=None):
        self._digest, self._error, self.removed = digest or digest_of(MANIFEST), error, []

    def pull(self, reference, credentials):
        if self._error:
            raise self._error
        return self._digest

    def remove(self, reference):
        self.removed.append(reference)


class Looks:
    """What is seen in the docker daemon; put in the place of docker_build's functions."""

    def __init__(self, monkeypatch, **given):
        facts = {
            "history": ("CMD /server", "ADD base"),
            "layers": ("sha256:base", "sha256:server"),
            "files": {"bin/busybox", "server"},
            "answer": WELCOME,
            "ended": Ended(1, "exec /server: no such file or directory"),
        } | given

        def answer(*words, **more):
            if isinstance(facts["answer"], Exception):
                raise facts["answer"]
            return facts["answer"]

        monkeypatch.setattr(docker_build, "history_of", lambda *_: facts["history"])
        monkeypatch.setattr(docker_build, "layers_of", lambda *_: (facts["layers"], 9_000_000))
        monkeypatch.setattr(docker_build, "files_of", lambda *_: set(facts["files"]))
        monkeypatch.setattr(docker_build, "run_to_end", lambda *_: facts["ended"])
        monkeypatch.setattr(docker_build, "running", lambda *_: SimpleContext())
        monkeypatch.setattr(docker_build, "answer_of", answer)


class SimpleContext:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def harbor(registries=None, tags=None, shown=TOTAL):
    registries = registries or {"registry-0": FakeRegistry(), "registry-1": FakeRegistry()}
    replicas = [SimpleNamespace(object=f"pod h/{name}", name=name) for name in registries]
    from harbor_verify.model.roles import Feature

    return SimpleNamespace(
        credentials=None,
        user=None,
        client=None,
        access=SimpleNamespace(url="http://h"),
        profile=SimpleNamespace(features={Feature.QUOTAS}),
        replicas=lambda role: replicas,
        registry=lambda replica: registries[replica.name],
        front_registry_for_all=lambda link: FakeRegistry(),
        front_door=SimpleNamespace(
            http=None, artifact_bytes=lambda *_: shown, tags=lambda repository, _: tags or {}
        ),
    )


def whole(*images, **given):
    facts = {
        "linked": {Way.STATIC_ON_SMALL: "not a dynamic executable"},
        "builder_layers": ("sha256:debian", "sha256:go"),
        "small_files": frozenset({"bin/busybox"}),
    } | given
    return Ladder("asker", {image.way: image for image in images}, **facts)


SETTINGS = SimpleNamespace(request_timeout_s=1)
STATIC = checks.test_a_static_program_on_a_small_base_comes_back_and_runs
MULTI = checks.test_a_multi_stage_image_comes_back_without_its_builder
DYNAMIC = checks.test_a_dynamic_program_on_a_small_base_fails_as_it_did_before_the_push


def runs(way, **given):
    return {way: replace(Served("pod h/x", answer=WELCOME), **given)}


def static(harbor, image=None, pod=None, docker=None):
    image = image or built()
    pods = runs(Way.STATIC_ON_SMALL, **(pod or {}))
    return STATIC, harbor, whole(image), pods, docker or FakeDocker(), SETTINGS, {}


def test_an_image_that_comes_back_everywhere_and_runs_is_well(monkeypatch):
    Looks(monkeypatch)
    examine(*static(harbor()))


def test_a_replica_that_lacks_a_layer_is_named(monkeypatch):
    Looks(monkeypatch)
    registries = {"registry-0": FakeRegistry(), "registry-1": FakeRegistry(lacks={digest_of(LAYER)})}
    [offender] = offenders_of(*static(harbor(registries)))
    assert offender.object == "pod h/registry-1"


def test_a_push_that_was_refused_is_all_that_is_said(monkeypatch):
    Looks(monkeypatch)
    [offender] = offenders_of(*static(harbor(), built(pushed=None, refused="413 Request Entity Too Large")))
    assert "413" in offender.observed


@pytest.mark.parametrize(
    "given, docker, observed",
    [
        ({"history": ("CMD /other",)}, None, "its history is CMD /other"),
        ({"answer": "another page"}, None, 'answers "another page"'),
        ({"answer": DoesNotRun("nothing answers")}, None, "and does not now: nothing answers"),
        ({"answer": DoesNotRun("exec format error")}, None, "and does not now: exec format error"),
        ({}, FakeDocker(digest="sha256:other"), "digest sha256:other"),
        ({}, FakeDocker(error=DockerRefused("pull access denied")), "pull access denied"),
    ],
)
def test_what_docker_pulled_must_be_what_was_built_and_run(monkeypatch, given, docker, observed):
    Looks(monkeypatch, **given)
    [offender] = offenders_of(*static(harbor(), docker=docker))
    assert observed in offender.observed


def test_a_daemon_that_cannot_try_what_it_pulled_says_nothing_of_harbor(monkeypatch):
    Looks(monkeypatch, answer=DockerDaemonFailed("docker run asker: no such image"))
    with pytest.raises(CannotTell, match="docker run asker: no such image"):
        examine(*static(harbor()))


def test_a_size_that_harbor_shows_otherwise_is_wrong(monkeypatch):
    Looks(monkeypatch)
    [offender] = offenders_of(*static(harbor(shown=TOTAL - 1)))
    assert offender.observed == f"Harbor shows {TOTAL - 1}"


@pytest.mark.parametrize(
    "reason, words",
    [
        ("ErrImagePull", "not found"),
        # A base of another architecture.
        ("StartError", "exec /server: exec format error"),
    ],
)
def test_a_pod_that_does_not_run_is_told_in_the_kubelets_words(monkeypatch, reason, words):
    Looks(monkeypatch)
    [offender] = offenders_of(*static(harbor(), pod={"answer": "", "reason": reason, "words": words}))
    assert (offender.object, offender.observed) == ("pod h/x", f"{reason}: {words}")


@pytest.mark.parametrize("check", [STATIC, DYNAMIC])
def test_a_node_that_is_not_set_up_for_the_registry_blocks(monkeypatch, check):
    Looks(monkeypatch)
    pod = {"answer": "", "reason": "ErrImagePull", "words": "x509: certificate signed by unknown authority"}
    whole_check, *rest = static(harbor(), pod=pod)
    if check is DYNAMIC:
        whole_check, rest = (
            DYNAMIC,
            [rest[0], whole(built(Way.GLIBC_ON_SMALL)), runs(Way.GLIBC_ON_SMALL, **pod)],
        )
        monkeypatch.setattr(checks, "_comes_back", lambda *_: True)
        monkeypatch.setattr(
            checks.docker_build,
            "run_to_end",
            lambda *_: SimpleNamespace(exit_code=1, output=checks.NO_SUCH_FILE),
        )
        rest.append(FakeDocker())
    with pytest.raises(NeedMissing, match="give it the CA"):
        examine(whole_check, *rest)


def test_an_image_that_is_not_small_is_wrong(monkeypatch):
    Looks(monkeypatch)
    [offender] = offenders_of(*static(harbor(), built(size_bytes=300_000_000)))
    assert offender.observed == "300000000 bytes"


def test_a_program_that_was_not_linked_as_it_should_says_nothing_about_harbor(monkeypatch):
    Looks(monkeypatch)
    linked = {Way.STATIC_ON_SMALL: "libc.so.6 => /lib/libc.so.6"}
    with pytest.raises(DockerDaemonFailed, match="not static"):
        examine(STATIC, harbor(), whole(built(), linked=linked), {}, FakeDocker(), SETTINGS, {})


@pytest.mark.parametrize(
    "given, observed",
    [
        ({"layers": ("sha256:base", "sha256:go")}, "1 layers are the builder's: sha256:go"),
        ({"files": {"bin/busybox", "server", "usr/local/go/bin/go"}}, "usr/local/go/bin/go"),
    ],
)
def test_what_the_builder_left_in_a_multi_stage_image_is_named(monkeypatch, given, observed):
    Looks(monkeypatch, **given)
    image = built(Way.MULTI_STAGE)
    pods = runs(Way.MULTI_STAGE)
    [offender] = offenders_of(MULTI, harbor(), whole(image), pods, FakeDocker(), SETTINGS, {})
    assert observed in offender.observed


def dynamic(pod):
    image = built(Way.GLIBC_ON_SMALL)
    return DYNAMIC, harbor(), whole(image), {Way.GLIBC_ON_SMALL: pod}, FakeDocker()


FAILS = Served("pod h/x", reason="StartError", words="exec /server: no such file or directory")


def test_a_program_without_its_loader_fails_to_start_and_that_is_right(monkeypatch):
    Looks(monkeypatch)
    examine(*dynamic(FAILS))


@pytest.mark.parametrize(
    "given, pod, thing",
    [
        ({"ended": Ended(0, WELCOME)}, FAILS, "h/project/glibc-on-musl:run"),
        ({"ended": Ended(1, "exec format error")}, FAILS, "h/project/glibc-on-musl:run"),
        ({}, Served("pod h/x", answer=WELCOME), "pod h/x"),
        ({}, Served("pod h/x", reason="ErrImagePull", words="denied"), "pod h/x"),
    ],
)
def test_a_program_without_its_loader_that_ends_otherwise_is_another_image(monkeypatch, given, pod, thing):
    Looks(monkeypatch, **given)
    [offender] = offenders_of(*dynamic(pod))
    assert offender.object == thing


SHARED = checks.test_the_layers_of_a_shared_base_are_uploaded_once
ON_SMALL = [
    built(way, layers=("sha256:base", f"sha256:{way}"))
    for way in (Way.GLIBC_ON_SMALL, Way.STATIC_ON_SMALL, Way.MULTI_STAGE)
]


def test_a_base_that_later_pushes_find_is_well():
    examine(SHARED, harbor(), whole(*ON_SMALL))


def test_a_base_that_is_uploaded_again_is_told():
    again = replace(ON_SMALL[1], pushed=Pushed("sha256:x", ("base", "server"), ()))
    [offender] = offenders_of(SHARED, harbor(), whole(ON_SMALL[0], again, ON_SMALL[2]))
    assert offender.observed == "1 of them were uploaded again"


LISTED = checks.test_as_many_images_are_listed_as_were_built


@pytest.mark.parametrize(
    "tags, observed",
    [
        ({}, "lists none"),
        ({"run": "", "other": ""}, "lists other, run"),
        ({"run": "sha256:other"}, "its digest is sha256:other"),
    ],
)
def test_a_list_that_is_not_what_was_built_is_told(tags, observed):
    [offender] = offenders_of(LISTED, harbor(tags=tags), whole(built()), "project")
    assert offender.observed == observed


def test_what_was_not_pushed_is_looked_for_in_no_list():
    with pytest.raises(CannotTell):
        examine(LISTED, harbor(), whole(built(pushed=None, refused="413")), "project")


def test_a_list_of_what_was_built_is_well():
    examine(LISTED, harbor(tags={"run": digest_of(MANIFEST)}), whole(built()), "project")


def test_what_could_not_be_built_is_blocked_with_the_reason():
    unbuilt = Ladder("asker", {}, {Way.STATIC_ON_SMALL: "no image to build with: --small-image"})
    with pytest.raises(NeedMissing, match="--small-image"):
        examine(STATIC, harbor(), unbuilt, {}, FakeDocker(), SETTINGS, {})


class Daemon:
    """A docker daemon of a few lines: builds are remembered by name."""

    def __init__(self, monkeypatch, fails=(), answer=WELCOME, pulls=True):
        self.built, self.removed, self.pushed, self.log = {}, [], [], []
        self._pulls = pulls

        def build(docker, files, dockerfile, reference, arguments, *, timeout_s):
            if any(word in reference for word in fails):
                raise BuildFailed(f"docker build of {dockerfile}: musl-gcc: not found")
            self.built[reference] = (dockerfile, dict(arguments), sorted(files))

        monkeypatch.setattr(docker_build, "build", build)
        monkeypatch.setattr(docker_build, "copy_from", lambda *_: b"ELF")
        monkeypatch.setattr(docker_build, "remove_intermediate", lambda *_: None)
        Looks(monkeypatch, answer=answer)

    def have(self, reference):
        return self._pulls

    def push_layers(self, reference, credentials):
        self.pushed.append(reference)
        return Pushed("sha256:x", (), ())

    def remove(self, reference):
        self.removed.append(reference)


def climb(daemon, bases=None):
    later = []
    builder = ladder.Builder(
        daemon,
        bases or Bases("b:1", "d:1", "s:1"),
        "asker:1",
        prefix="h/p",
        run_id="run",
        remove_later=later.append,
        build_timeout_s=1,
        answer_timeout_s=1,
    )
    return builder.climb(None), later


def test_each_way_is_built_tried_and_pushed_once_and_nothing_local_is_left(monkeypatch):
    daemon = Daemon(monkeypatch)
    made, later = climb(daemon)
    assert set(made.built) == set(Way)
    assert not made.unbuilt
    assert daemon.pushed == [f"h/p/{way}:run" for way in Way]
    assert set(daemon.built) <= set(daemon.removed)
    assert {"b:1", "d:1", "s:1"} <= set(daemon.removed), "bases that were pulled for this"
    assert set(later) == set(daemon.built)
    assert daemon.built["h/p/musl-on-small:run"][:2] == (
        "runtime.Dockerfile",
        {"BASE": "s:1", "RUN_ID": "run"},
    )
    assert daemon.built["h/p/builder:glibc-run"][1]["LINKING"] == "glibc"


@pytest.mark.parametrize("are_disposable", [True, False])
def test_bases_that_were_there_before_go_only_where_they_are_made_again(monkeypatch, are_disposable):
    """Of a base that is there a pull fetches no layer; one that is the user's stays all the same."""
    daemon = Daemon(monkeypatch, pulls=False)
    climb(daemon, Bases("b:1", "d:1", "s:1", are_disposable=are_disposable))
    assert {"b:1", "d:1", "s:1"} & set(daemon.removed) == ({"b:1", "d:1", "s:1"} if are_disposable else set())


def test_a_build_that_fails_blocks_its_own_way_only(monkeypatch):
    made, _ = climb(Daemon(monkeypatch, fails=("builder:musl",)))
    assert set(made.unbuilt) == {Way.MUSL_ON_SMALL}
    assert "musl-gcc: not found" in made.unbuilt[Way.MUSL_ON_SMALL]


def test_a_base_that_nobody_named_blocks_what_is_built_on_it(monkeypatch):
    made, _ = climb(Daemon(monkeypatch), Bases(builder="b:1"))
    assert set(made.built) == {Way.BUILDER}
    assert made.unbuilt[Way.DISTRIBUTION] == "no image to build with: --base-image"


def test_a_server_that_does_not_run_before_its_push_says_nothing_about_harbor(monkeypatch):
    with pytest.raises(DockerDaemonFailed, match="even before it is pushed"):
        climb(Daemon(monkeypatch, answer="nothing"))


def test_a_small_base_with_glibc_blocks_the_way_that_is_to_fail(monkeypatch):
    daemon = Daemon(monkeypatch)
    monkeypatch.setattr(docker_build, "run_to_end", lambda *_: Ended(0, "it runs"))
    made, _ = climb(daemon)
    assert "no base without glibc" in made.unbuilt[Way.GLIBC_ON_SMALL]


def test_pieces_are_read_like_a_file():
    stream = docker_build._Stream(iter([b"ab", b"", b"cde"]))
    assert (stream.read(2), stream.read(0)) == (b"ab", b"")
    stream = docker_build._Stream(iter([b"ab", b"cde"]))
    assert [stream.read(3), stream.read(3), stream.read(3)] == [b"abc", b"de", b""]
    assert docker_build._Stream(iter([b"ab", b"c"])).read() == b"abc"


def test_no_manifest_of_an_image_is_wrong_content():
    with pytest.raises(WrongContent):
        comparison.descriptors_of(b"{}")
