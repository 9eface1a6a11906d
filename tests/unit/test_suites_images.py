"""The checks of images on registries of a few lines: green on sound ones, red with every offender on doctored ones."""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from harbor_verify.errors import CannotTell, NotApplicable
from harbor_verify.settings import Settings
from suites.images import test_layer_sizes
from suites.images.test_headers import test_head_says_what_get_gives as heads
from suites.images.test_headers import test_only_what_the_client_has_is_not_sent_again as unchanged
from suites.images.test_indexes import test_a_docker_manifest_list_comes_back_unchanged as docker_list
from suites.images.test_indexes import test_an_oci_index_comes_back_unchanged_from_everywhere as oci_index
from suites.images.test_layer_sizes import test_layers_of_every_size_pass_the_front_door as sizes
from suites.images.test_partial_pulls import test_a_part_is_given_as_a_part as passed_on
from suites.images.test_partial_pulls import test_a_pull_that_breaks_off_goes_on_elsewhere as resumes
from suites.images.test_referrers import test_what_refers_to_an_image_is_found_everywhere as referrers
from tests.unit.fake_bucket import FakeBucket
from tests.unit.fake_registry import FakeRegistry, Store, doors
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.test_suites_registry import new_image


@contextmanager
def registries(*flaws_of_the_front, last=(), every=(), limit=None):
    """A front door and two replicas of one store; the second replica has the flaws `last`."""
    store = Store()
    front = FakeRegistry(store, *flaws_of_the_front, *every, limit=limit)
    with doors(front, FakeRegistry(store, *every), FakeRegistry(store, *last, *every)) as found:
        yield found


def objects(offenders):
    return {offender.object for offender in offenders}


# images.oci-index-unchanged, docker-manifest-list-unchanged


def test_indexes_come_back_from_sound_replicas():
    with registries() as found:
        examine(oci_index, found, "p", "r", never)
        examine(docker_list, found, "p", "r")


def test_a_front_door_that_writes_manifests_anew_is_named():
    for flaw, words in (("re-encodes", "the same JSON in other bytes"), ("retypes", "application/json")):
        for check, rest in ((oci_index, ("r", never)), (docker_list, ("r",))):
            with registries(flaw) as found:
                offenders = offenders_of(check, found, "p", *rest)
            assert objects(offenders) == {"front door"}
            assert words in offenders[0].observed


def test_a_replica_that_lacks_a_layer_or_shares_nothing_is_named():
    for flaw in ("corrupts", "lacks-blobs"):
        with registries(last=(flaw,)) as found:
            assert objects(offenders_of(oci_index, found, "p", "r", never)) == {"pod replica-2"}
            (offender,) = offenders_of(docker_list, found, "p", "r")
            assert offender.object == "pod replica-2"
            assert "front-door took" in offender.expected
    with doors(*(FakeRegistry(Store()) for _ in range(3))) as found:
        assert len(offenders_of(oci_index, found, "p", "r", never)) == 6


@pytest.mark.parametrize("flaw", ["no-oci", "no-oci-415"])
@pytest.mark.parametrize("check", [oci_index, referrers])
def test_a_registry_without_oci_types_is_not_applicable_and_says_what_it_said(check, flaw):
    with registries(every=(flaw,)) as found, pytest.raises(NotApplicable, match=r"4\d\d .*(INVALID|UNSUPP)"):
        examine(check, found, "p", "r", not_applicable)


@pytest.mark.parametrize("check", [oci_index, referrers])
def test_one_that_knows_no_oci_types_beside_others_that_do_is_an_offender(check):
    with registries(last=("no-oci",)) as found:
        (offender,) = offenders_of(check, found, "p", "r", never)
        assert (offender.object, offender.expected) == (
            "pod replica-2",
            "takes OCI manifests, as other replicas do",
        )
    with registries("no-oci") as found:
        (offender,) = offenders_of(check, found, "p", "r", never)
        assert (offender.object, offender.expected) == (
            "front door",
            "takes OCI manifests, as the replicas behind it do",
        )


def test_a_registry_that_takes_oci_images_and_no_index_is_red():
    with registries(every=("no-indexes",)) as found:
        offenders = offenders_of(oci_index, found, "p", "r", never)
    assert objects(offenders) == {"front door", "pod replica-1", "pod replica-2"}
    assert "MANIFEST_INVALID" in offenders[0].observed


@pytest.mark.parametrize("check", [oci_index, referrers])
def test_one_that_takes_no_manifest_at_all_does_not_hide_behind_oci(check):
    with registries(every=("no-manifests",)) as found:
        offenders = offenders_of(check, found, "p", "r", never)
    assert objects(offenders) == {"front door", "pod replica-1", "pod replica-2"}
    assert "docker's own type" in offenders[0].expected


# images.referrers-listed


def test_referrers_are_listed_filtered_or_not_or_kept_under_a_tag():
    for every in ((), ("no-filter",), ("no-referrers",)):
        with registries(every=every) as found:
            examine(referrers, found, "p", "r", never)


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("lists-nothing", "0 entries"),
        ("filters-silently", "leaves out another type, and does not say"),
        ("no-kinds", "artifactType ''"),
        ("no-referrers", "404"),
    ],
)
def test_a_replica_whose_list_of_referrers_is_wrong_is_named(flaw, words):
    with registries(last=(flaw,)) as found:
        offenders = offenders_of(referrers, found, "p", "r", never)
    assert objects(offenders) == {"pod replica-2"}
    assert words in offenders[0].observed


def test_a_list_that_says_it_is_filtered_and_is_not_is_wrong():
    with registries(last=("no-filter", "filters-in-name-only")) as found:
        offenders = offenders_of(referrers, found, "p", "r", never)
    assert "holds another type, and says that it has filtered" in offenders[0].observed


def test_the_tag_that_stands_in_for_the_list_is_read_everywhere():
    with registries("re-encodes", every=("no-referrers",)) as found:
        offenders = offenders_of(referrers, found, "p", "r", never)
    assert objects(offenders) == {"front door"}
    assert "under that tag" in offenders[0].expected


# images.layer-sizes


def layers(found, front_replicas=(), **settings):
    measured = {}
    examine(
        sizes, found, "p", Settings(**({"large_layer_mib": 12} | settings)), measured, list(front_replicas)
    )
    return measured


def test_layers_of_every_size_pass_and_are_measured():
    with registries() as found:
        assert layers(found).keys() == {"push_mib_per_s", "pull_mib_per_s"}


def test_a_layer_of_gibibytes_goes_with_its_length_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(test_layer_sizes, "_GIB", 7 * 2**20)
    with registries() as found:
        layers(found, large_layer_gib=2)
    with registries(limit=13 * 2**20) as found:
        offenders = offenders_of(lambda doors: layers(doors, large_layer_gib=2), found)
    assert [offender.expected for offender in offenders] == ["takes a layer of 2 GiB and one byte"]


def test_a_limit_of_the_front_door_is_told_with_the_smallest_size_that_fails():
    with registries(limit=2**20) as found:
        offenders = offenders_of(layers, found)
    assert [offender.expected for offender in offenders] == [
        "takes a layer of 1 MiB and one byte",
        "takes a layer of 10 MiB and one byte",
    ]
    assert "413" in offenders[0].observed
    assert "limits" in offenders[0].observed


class Head:
    """A connection to a proxy that answers the head of a request, or is silent (None)."""

    def __init__(self, limit):
        self._limit, self._asked = limit, ""

    def sendall(self, data):
        self._asked = data.decode()

    def recv(self, most_bytes):
        if self._limit is None:
            raise TimeoutError("timed out")
        length = int(self._asked.partition("Content-Length: ")[2].partition("\r\n")[0])
        too_large = self._limit and length > self._limit
        return (
            b"HTTP/1.1 " + (b"413 Request Entity Too Large" if too_large else b"100 Continue") + b"\r\n\r\n"
        )

    def close(self):
        pass


@contextmanager
def proxies(*limits):
    """Replicas of a front door that pass everything on, but for what is larger than their limit; 0: there is none."""
    servers = [FakeRegistry(Store(), limit=limit or None) for limit in limits]
    with doors(FakeRegistry(Store()), *servers) as (_, *found):
        yield [replace(each, connect=partial(Head, limit)) for each, limit in zip(found, limits, strict=True)]


@pytest.mark.parametrize(
    "limit, sizes_refused", [(2**20, ["1 MiB", "10 MiB", "12 MiB"]), (2**23, ["10 MiB", "12 MiB"])]
)
def test_the_one_replica_of_the_front_door_with_a_limit_is_named_whoever_answers_at_its_address(
    limit, sizes_refused
):
    with registries() as found, proxies(0, limit, 0) as front_replicas:
        offenders = offenders_of(layers, found, front_replicas)
    assert objects(offenders) == {"pod replica-2"}
    assert [offender.expected for offender in offenders] == [
        f"takes a layer of {size} and one byte" for size in sizes_refused
    ]
    assert all("413" in offender.observed and "limits" in offender.observed for offender in offenders)


def test_replicas_of_the_front_door_without_limits_are_well_and_a_silent_one_is_unknown():
    with registries() as found:
        with proxies(0, 0) as front_replicas:
            layers(found, front_replicas)
        with proxies(None) as front_replicas, pytest.raises(CannotTell, match="says nothing to the head"):
            layers(found, front_replicas)


def test_a_replica_with_other_bytes_is_named():
    with registries(last=("corrupts",)) as found:
        offenders = offenders_of(layers, found)
    assert objects(offenders) == {"pod replica-2"}
    assert len(offenders) == 2


# images.pull-resumes, range-passed-on


def test_pulls_resume_by_parts_or_anew():
    with registries() as found:
        examine(resumes, found, "p", new_image)
        examine(passed_on, found, "p", new_image, never)
    with registries("drops-range") as found:
        examine(resumes, found, "p", new_image)


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("drops-content-range", "Content-Range none"),
        ("wrong-part", "not those of bytes"),
        ("corrupts", "the first"),
    ],
)
def test_a_part_that_is_wrong_or_does_not_say_which_it_is_is_red(flaw, words):
    with registries(flaw) as found:
        offenders = offenders_of(resumes, found, "p", new_image)
    assert objects(offenders) == {"front door"}
    assert words in offenders[0].observed


def test_a_front_door_that_drops_range_is_told_so_and_a_registry_without_parts_is_none():
    with registries("drops-range") as found:
        (offender,) = offenders_of(passed_on, found, "p", new_image, never)
        assert (offender.object, offender.observed) == ("front door", "the whole blob (200)")
    with registries(every=("drops-range",)) as found, pytest.raises(NotApplicable, match="whole"):
        examine(passed_on, found, "p", new_image, not_applicable)


def test_a_pull_goes_on_elsewhere_only_where_storage_is_shared():
    with doors(*(FakeRegistry(Store()) for _ in range(3))) as found:
        offenders = offenders_of(resumes, found, "p", new_image)
    assert objects(offenders) == {"front door", "pod replica-2"}


# images.head-agrees-with-get, unchanged-means-unchanged


def test_heads_and_unchanged_blobs_of_sound_replicas():
    with registries() as found:
        examine(heads, found, "p", "r")
        examine(unchanged, found, "p", new_image)


def test_headers_of_an_object_store_know_lengths_and_no_digests_of_ours():
    store = Store()
    blobs = FakeBucket(lambda digest: next(blob for (_, name), blob in store.blobs.items() if name == digest))
    with blobs.running() as bucket:
        replicas = [FakeRegistry(store, elsewhere=bucket.url) for _ in range(3)]
        with doors(*replicas) as found:
            examine(heads, found, "p", "r")
            assert bucket.asked
            bucket.too_many = 1
            offenders = offenders_of(heads, found, "p2", "r")
    assert {offender.expected for offender in offenders} == {"tells of a layer what it gives"}


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("head-lies", "HEAD tells a Content-Length"),
        ("drops-digest", "(none)"),
        ("re-encodes", "not what was pushed"),
        ("retypes", "application/json"),
    ],
)
def test_headers_that_lie_are_red(flaw, words):
    with registries(last=(flaw,)) as found:
        offenders = offenders_of(lambda found: examine(heads, found, "p", "r"), found)
    assert "pod replica-2" in objects(offenders)
    assert any(words in offender.observed for offender in offenders)


def test_a_304_for_what_the_client_does_not_have_is_red():
    with registries("always-304") as found:
        (offender,) = offenders_of(unchanged, found, "p", new_image)
    assert offender.object == "front door"
    assert "another one" in offender.expected
