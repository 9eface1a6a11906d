"""registry.every-push-kept: who loses a push in fifty, or keeps it for itself, is named, and nobody else is."""

import pytest

from harbor_verify.clients.image import digest_of
from harbor_verify.errors import UnexpectedAnswer
from suites.registry.test_many_pushes import test_every_push_that_is_acknowledged_is_kept as kept
from tests.unit.running import examine, offenders_of
from tests.unit.test_suites_registry import FakeRegistry, Store, new_image, target, three


class Drops(FakeRegistry):
    """Acknowledges each push, and forgets one in fifty."""

    count = 0

    def push_manifest(self, repository, tag, manifest):
        self.count += 1
        if self.count % 50 == 0:
            return digest_of(manifest)
        return super().push_manifest(repository, tag, manifest)


class KeepsForItself(FakeRegistry):
    """Of what it takes, one in fifty is in no storage but its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.own, self.count = {}, 0

    def push_manifest(self, repository, tag, manifest):
        self.count += 1
        if self.count % 50 == 0:
            self.own[repository, digest_of(manifest)] = manifest
            return digest_of(manifest)
        return super().push_manifest(repository, tag, manifest)

    def manifest(self, repository, reference):
        if (repository, reference) in self.own:
            return self.own[repository, reference], reference
        return super().manifest(repository, reference)


def run(*registries, takers=None):
    """(offenders, figures)"""
    measured, told = {}, []
    found = offenders_of(kept, target(*registries, takers=takers), "p", new_image, measured, told.append)
    return found, measured, told


@pytest.mark.parametrize("registries", [three(), three()[:1]])
def test_replicas_that_keep_all_are_green(registries):
    measured, told = {}, []
    examine(kept, target(*registries), "p", new_image, measured, told.append)
    assert measured == {"pushes_count": 240 * len(registries), "pushes_lost_count": 0}
    assert not told


def test_what_one_replica_drops_is_nowhere():
    store = Store()
    registries = [
        FakeRegistry("registry-0", store),
        FakeRegistry("registry-1", store),
        Drops("registry-2", store),
    ]
    (offender,), measured, _ = run(*registries)
    assert measured["pushes_lost_count"] == registries[2].count // 50 >= 3
    assert offender.object == "every registry replica"
    assert "pushed by way of registry-2: p/many-" in offender.observed


def test_what_one_replica_keeps_for_itself_is_missing_at_the_others():
    store = Store()
    others = [FakeRegistry("registry-0", store), FakeRegistry("registry-2", store)]
    (offender,), measured, _ = run(others[0], KeepsForItself("registry-1", store), others[1])
    assert measured["pushes_lost_count"] >= 3
    assert offender.object == "pod registry-0, pod registry-2"


def test_there_are_pushes_enough_for_the_replicas_behind_those_that_take_them_and_not_without_end():
    store = Store()
    taker = FakeRegistry("core-0", store)
    keepers = [FakeRegistry(f"registry-{n}", store) for n in range(3)]
    measured, told = {}, []
    examine(kept, target(*keepers, takers=[taker]), "p", new_image, measured, told.append)
    assert measured["pushes_count"] == 720
    many = [FakeRegistry(f"registry-{n}", store) for n in range(30)]
    examine(kept, target(*many), "p", new_image, measured, told.append)
    assert measured["pushes_count"] == 2400
    assert told == ["2400 pushes: fewer than 240 for each replica"]


def test_who_refuses_a_push_or_an_answer_is_named_and_nothing_is_called_lost():
    registries = three()

    def refuse(repository, reference):
        raise UnexpectedAnswer("GET → 500", status=500)

    registries[1].manifest = refuse
    found, measured, _ = run(*registries)
    assert {(each.object, each.observed) for each in found} == {("pod registry-1", "GET → 500")}
    assert measured["pushes_lost_count"] == 0
    found, measured, _ = run(*three(silent=True))
    assert {each.object for each in found} == {"pod registry-2"}
