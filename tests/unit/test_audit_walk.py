"""The audit of all images, by replicas over HTTP: what is found, what is asked, and how it goes on."""

import subprocess
from types import SimpleNamespace

import pytest

from harbor_verify.audit import cache, reading, records, result, storage
from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.walk import Stopped, Walk
from harbor_verify.clients.image import digest_of
from harbor_verify.errors import CannotTell, SettingsError
from harbor_verify.model.contents import BlobRow, Known
from tests.unit.damaged_registry import DamagedRegistry, Storage


@pytest.fixture
def shared():
    return Storage()


@pytest.fixture
def replicas(shared):
    with DamagedRegistry(shared).running() as one, DamagedRegistry(shared).running() as other:
        yield [one, other]


def audit(replicas, known, notebook=None, **settings):
    notebook = notebook or Notebook()
    notebook.add_artifacts(known, "database")
    sources = [each.source(f"pod {number}") for number, each in enumerate(replicas)]
    with Walk(notebook, sources, settings.pop("pace", Pace()), **settings) as walk:
        walk.read_manifests()
        walk.read_blobs()
    return notebook, walk


def found(notebook):
    return {(each.kind, each.digest, tuple(each.places)) for each in result.gather(notebook)}


def test_images_that_are_whole_are_found_whole(replicas, shared):
    known = [shared.push(f"p/r{number % 3}", content=bytes([number]))[1] for number in range(20)]
    notebook, _ = audit(replicas, known)
    assert not notebook.troubles()
    assert not notebook.unknowns()
    counts = notebook.counts()
    assert (counts["artifacts_read"], counts["blobs_read"], counts["blobs"]) == (20, 40, 40)


def test_each_damage_is_found_where_it_is_and_nothing_else(replicas, shared):
    pushed = [shared.push("p/r", content=bytes([number]) * 9) for number in range(8)]
    layers = [image.layer_digest for image, _ in pushed]
    del shared.files[layers[0]]
    shared.redis.pop(layers[0])
    del shared.files[layers[1]]
    shared.files[layers[2]] = shared.files[layers[2]][:50]
    flipped = bytearray(shared.files[layers[3]])
    flipped[40] ^= 1
    shared.files[layers[3]] = bytes(flipped)
    shared.files[pushed[4][1].digest] = b'{"schemaVersion'
    notebook, _ = audit(replicas, [known for _, known in pushed])
    both = ("pod 0", "pod 1")
    assert found(notebook) == {
        (Kind.MISSING, layers[0], both),
        (Kind.STALE, layers[1], both),
        (Kind.TRUNCATED, layers[2], both),
        (Kind.OTHER_BYTES, layers[3], both),
        (Kind.UNREADABLE, pushed[4][1].digest, both),
    }
    assert not notebook.unknowns()
    assert notebook.images_of(layers[0]) == [pushed[0][1]]


def test_a_replica_with_a_storage_of_its_own_is_named_alone(shared):
    image, known = shared.push("p/r")
    own = Storage()
    own.files, own.links = {known.digest: image.manifest}, set(shared.links)
    with DamagedRegistry(shared).running() as one, DamagedRegistry(own).running() as other:
        notebook, _ = audit([one, other], [known])
    assert {(kind, places) for kind, _, places in found(notebook)} == {(Kind.NOT_EVERYWHERE, ("pod 1",))}


@pytest.mark.parametrize("vouched", [True, False])
@pytest.mark.parametrize("lacking", [0, 1])
def test_what_one_replica_alone_lacks_is_neither_redis_fault_nor_the_storages(shared, vouched, lacking):
    """Redis vouches for it rightly, and in further repositories its link is there."""
    image, known = shared.push("p/r", vouched=vouched)
    _, other = shared.push("p/other", vouched=vouched)
    less = Storage()
    less.files, less.links = dict(shared.files), set(shared.links)
    less.redis = shared.redis
    del less.files[image.layer_digest]
    storages = [shared, shared]
    storages[lacking] = less
    with DamagedRegistry(storages[0]).running() as one, DamagedRegistry(storages[1]).running() as two:
        notebook, _ = audit([one, two], [known, other])
        unread = Notebook()
        with Walk(unread, [one.source("pod 0"), two.source("pod 1")], Pace()) as walk:
            cache.links(unread, walk, shared, "Redis", lambda name: True)
    lacks = {(Kind.NOT_EVERYWHERE, image.layer_digest, (f"pod {lacking}",))}
    assert found(notebook) == lacks
    assert found(unread) <= (lacks if vouched else set())


def test_all_replicas_together_are_called_so():
    each = result.Affected(Kind.MISSING, "sha256:a", ["pod 0", "pod 1"], [], "", [])
    assert result.where(each, ["pod 1", "pod 0"]) == "every registry replica"
    assert result.where(each, ["pod 0", "pod 1", "pod 2"]) == "pod 0, pod 1"


def test_a_large_layer_is_read_once_whole_and_its_first_byte_elsewhere(replicas, shared):
    image, known = shared.push("p/r", content=bytes(reading.SMALL_BYTES + 1))
    audit(replicas, [known])
    asked = [
        first for replica in replicas for _, _, digest, first in replica.asked if digest == image.layer_digest
    ]
    assert sorted(asked) == [False, True]
    for replica in replicas:
        replica.asked.clear()
    audit(replicas, [known], whole_everywhere=True)
    assert not any(first for replica in replicas for *_, first in replica.asked)


def test_a_repository_that_lost_its_link_is_named(replicas, shared):
    image, known = shared.push("p/r", vouched=False)
    _, other = shared.push("p/other", vouched=False)
    shared.links.remove(("p/other", image.layer_digest))
    notebook, _ = audit(replicas, [known, other])
    (trouble,) = result.gather(notebook)
    assert (trouble.kind, trouble.digest, trouble.repositories) == (
        Kind.MISSING,
        image.layer_digest,
        ["p/other"],
    )


def test_what_an_index_names_is_read_too(replicas, shared):
    image, child = shared.push("p/r")
    index = b'{"manifests": [{"digest": "%s", "size": 1}]}' % child.digest.encode()
    parent = Known("p/r", shared.put("p/r", index, vouched=False))
    shared.files[image.layer_digest] = b""
    notebook, _ = audit(replicas, [parent])
    (trouble,) = result.gather(notebook)
    assert set(trouble.images) == {str(parent), str(child)}


def test_beyond_its_budget_only_first_bytes_are_asked(replicas, shared):
    known = [shared.push("p/r", content=bytes([number]) * 70_000)[1] for number in range(3)]
    _, walk = audit(replicas, known, budget_bytes=100_000)
    assert walk.cut_short == 2


def test_an_audit_that_was_stopped_goes_on_where_it_was(replicas, shared, tmp_path):
    known = [shared.push("p/r", content=bytes([number]))[1] for number in range(9)]
    notebook, pace, seen = Notebook(tmp_path / "audit.sqlite"), Pace(), []

    def tick():
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(replicas, known, notebook, pace=pace, tick=tick, threads=1)
    assert pace.stop.is_set()
    before = notebook.counts()
    assert 0 < before["artifacts_read"] < 9
    notebook.close()
    for replica in replicas:
        replica.asked.clear()
    again, _ = audit(replicas, (), Notebook(tmp_path / "audit.sqlite"))
    asked = {digest for replica in replicas for kind, _, digest, _ in replica.asked if kind == "manifests"}
    assert len(asked) == 9 - before["artifacts_read"]
    assert again.counts()["artifacts_read"] == 9
    again.close()


def test_what_one_replica_did_not_answer_for_is_asked_again_when_it_goes_on(shared, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    _, known = shared.push("p/r")
    own = Storage()
    own.files, own.links, own.redis = dict(shared.files), set(shared.links), shared.redis
    own.seldom = {known.digest: [503] * 99}
    with DamagedRegistry(shared).running() as one, DamagedRegistry(own).running() as other:
        notebook, _ = audit([one, other], [known])
        assert (notebook.counts()["artifacts_read"], notebook.counts()["blobs_read"]) == (0, 2)
        assert not notebook.troubles()
        assert "pod 1" in notebook.unknowns()[0][0]
        own.seldom.clear()
        del own.files[known.digest]
        notebook.forget_unknowns()
        audit([one, other], [known], notebook)
    assert found(notebook) == {(Kind.NOT_EVERYWHERE, known.digest, ("pod 1",))}
    assert notebook.counts()["artifacts_read"] == 1


def test_a_blob_with_a_trouble_is_asked_again_of_the_replica_that_did_not_answer(shared, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    image, known = shared.push("p/r")
    blob = image.layer_digest
    others = [Storage() for _ in range(2)]
    for own in others:
        own.files, own.links, own.redis = dict(shared.files), set(shared.links), shared.redis
    damaged, silent = others
    del damaged.files[blob]
    silent.seldom = {blob: [503] * 99}
    servers = [DamagedRegistry(each) for each in (shared, damaged, silent)]
    with servers[0].running(), servers[1].running(), servers[2].running():
        notebook, _ = audit(servers, [known])
        assert found(notebook) == {(Kind.NOT_EVERYWHERE, blob, ("pod 1",))}
        assert len(notebook.unknowns()) == 1
        silent.seldom.clear()
        del silent.files[blob]
        notebook.forget_unknowns()
        audit(servers, [known], notebook)
    assert found(notebook) == {(Kind.NOT_EVERYWHERE, blob, ("pod 1", "pod 2"))}
    assert not notebook.unknowns()


def test_where_nobody_answers_it_stops_and_leaves_the_rest_unread(replicas, shared, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSES_S", (0, 0))
    known = [shared.push("p/r", content=number.to_bytes(2))[1] for number in range(60)]
    for replica in replicas:
        replica.silent = True
    notebook = Notebook()
    with pytest.raises(Stopped, match="in a row could not be read"):
        audit(replicas, known, notebook)
    assert not notebook.troubles()
    assert notebook.unknowns()
    assert notebook.counts()["artifacts_read"] == 0


def test_a_file_that_is_no_progress_file_is_refused(tmp_path):
    (tmp_path / "audit.sqlite").write_text("something else, and long enough to be looked at " * 9)
    with pytest.raises(SettingsError, match="no progress file"):
        Notebook(tmp_path / "audit.sqlite")


def test_what_redis_vouches_for_is_asked_for_and_whose_it_is_is_told(replicas, shared):
    _, known = shared.push("p/r")
    notebook, _ = audit(replicas, [known])
    theirs, ours = digest_of(b"theirs"), digest_of(b"ours")
    for repository, digest in (("q/theirs", theirs), ("p/r", ours)):
        shared.links.add((repository, digest))
        shared.redis[digest] = 77
    whole, _ = shared.push("p/deleted")
    with Walk(notebook, [replicas[0].source("pod 0")], Pace()) as walk:
        assert cache.links(notebook, walk, shared, "Redis", notebook.has_repository) == 4
    assert found(notebook) == {(Kind.FOREIGN, theirs, ("Redis",)), (Kind.STALE, ours, ("Redis",))}
    assert whole.layer_digest in shared.files


def test_what_redis_has_forgotten_meanwhile_or_never_vouched_for_is_well(replicas, shared):
    gone = digest_of(b"gone")
    shared.links.add(("p/r", gone))
    shared.redis[gone] = 5
    notebook = Notebook()
    shared.fields = lambda key: {}
    with Walk(notebook, [replicas[0].source("pod 0")], Pace()) as walk:
        cache.links(notebook, walk, shared, "Redis", lambda name: True)
    assert not notebook.troubles()


def test_a_descriptor_of_another_size_or_digest_is_told(replicas, shared):
    image, known = shared.push("p/r")
    notebook, _ = audit(replicas, [known])
    assert cache.descriptors(notebook, shared, "Redis") == 2
    assert not notebook.troubles()
    shared.redis[image.layer_digest] -= 1
    cache.descriptors(notebook, shared, "Redis")
    assert found(notebook) == {(Kind.WRONG_DESCRIPTOR, image.layer_digest, ("Redis",))}


class Contents:
    """A database of a few lists."""

    def __init__(self, artifacts=(), holdings=(), blobs=()):
        self._lists = {"artifacts": list(artifacts), "holdings": list(holdings), "blobs": list(blobs)}

    def artifacts(self, sql):
        return iter(self._lists["artifacts"])

    def holdings(self, sql):
        return iter(self._lists["holdings"])

    def blobs(self, sql):
        return iter(self._lists["blobs"])

    def has(self, sql, known):
        return known in self._lists["artifacts"]

    def left_deleting(self, sql, older_than_s):
        return [row for row in self._lists["blobs"] if row.status == "deleting" and row.age_s >= older_than_s]


def test_what_the_database_does_not_protect_or_has_left_over_is_told(replicas, shared):
    (one, first), (two, second) = shared.push("p/r"), shared.push("p/r", content=b"two")
    holdings = [(first.digest, one.layer_digest), (first.digest, one.configuration_digest)]
    holdings += [(second.digest, two.configuration_digest)]
    rows = [BlobRow("sha256:d", 5, "deleting", 7200), BlobRow("sha256:now", 5, "deleting", 3)]
    contents = Contents([first, second], holdings, rows)
    notebook = Notebook()
    records.list_database(notebook, contents, None, lambda: None)
    hidden = Known("p/r", "sha256:api")
    notebook.add_artifacts([hidden, first], "api")
    audit(replicas, (), notebook)
    api = SimpleNamespace(has_artifact=lambda repository, digest, login: digest == hidden.digest)
    records.compare(notebook, contents, None, api, None)
    told = {(kind, digest) for kind, digest, places in found(notebook) if places == ("database",)}
    assert told == {
        (Kind.UNPROTECTED, two.layer_digest),
        (Kind.UNRECORDED, hidden.digest),
        (Kind.DELETING, "sha256:d"),
    }


def test_the_api_lists_all_but_proxy_caches():
    api = SimpleNamespace(
        projects=lambda name, login: {
            "p": SimpleNamespace(is_proxy=False),
            "hub": SimpleNamespace(is_proxy=True),
        },
        repositories=lambda project, login: ["p/a", "p/b"],
        artifacts=lambda repository, login: iter([f"sha256:{repository[-1]}"]),
    )
    notebook = Notebook()
    records.list_api(notebook, api, None, lambda: None)
    assert set(notebook.of_origin("api")) == {Known("p/a", "sha256:a"), Known("p/b", "sha256:b")}


def test_files_that_no_row_is_about_are_orphans_once_they_are_old():
    printed = (
        f"5 1000 aa/aa{'0' * 62}/data\n7 900000 ab/ab{'0' * 62}/data\n9 1000 ac/ac{'0' * 62}/data\n907200\n"
    )
    files = storage.files(lambda argv: printed, "/storage", ("aa", "ab", "ac"))
    assert [(file.size, file.age_s) for file in files] == [(5, 906200), (7, 7200), (9, 906200)]
    files[1] = storage.File(files[1].digest, 7, 60)
    told = list(storage.orphans(files, lambda digests: {files[2].digest}, "pod registry-0"))
    assert [(trouble.kind, trouble.digest) for trouble in told] == [(Kind.ORPHAN, files[0].digest)]
    assert storage.files(lambda argv: "none\n", "/storage", ("aa",)) == []
    with pytest.raises(CannotTell, match="not understood"):
        storage.files(lambda argv: "", "/storage", ("aa",))


def test_what_takes_too_long_for_one_command_is_listed_in_smaller_parts():
    asked = []

    def run(argv):
        asked.append(argv[4:])
        if len(argv[4:]) > 1:
            raise CannotTell("did not end within 30 s")
        return "1\n"

    assert sum(map(len, storage.all_files(run, "/storage"))) == 0
    assert {prefix for (prefix,) in (words for words in asked if len(words) == 1)} == set(storage.PREFIXES)
    assert len(asked) == 16 + 256


def test_files_are_listed_by_a_shell_as_it_is(tmp_path):
    def run(argv):
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert storage.files(run, str(tmp_path), ("aa",)) == []
    folder = tmp_path / "docker/registry/v2/blobs/sha256/aa" / ("aa" * 32)
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"12345")
    (file,) = storage.files(run, str(tmp_path), storage.PREFIXES)
    assert (file.digest, file.size) == (f"sha256:{'aa' * 32}", 5)
    assert file.age_s < 60
