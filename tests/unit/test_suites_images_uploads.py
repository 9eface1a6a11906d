"""The checks of uploads, mounts and names on registries of a few lines: green on sound ones, red on doctored ones."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry, by_token
from harbor_verify.errors import NotApplicable
from harbor_verify.model.roles import Standing
from suites.images.test_mounts import test_a_blob_is_mounted_from_another_repository as mounts
from suites.images.test_mounts import test_a_mount_hands_no_private_blob_over as private
from suites.images.test_names import test_deep_repositories_and_long_tags_are_taken as names
from suites.images.test_names import test_repositories_are_listed_page_by_page as catalogue
from suites.images.test_names import test_tags_are_listed_page_by_page as pages
from suites.images.test_uploads import test_a_blob_without_a_byte_is_taken as empty
from suites.images.test_uploads import test_a_chunk_out_of_order_never_becomes_a_wrong_blob as disorder
from suites.images.test_uploads import test_every_form_of_upload_is_taken as forms
from tests.unit.fake_registry import FakeRegistry, Store, doors
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.test_suites_images import objects, registries
from tests.unit.test_suites_registry import new_image

DEVELOPER = Credentials("developer", "secret")


def observed(offenders):
    return " | ".join(offender.observed for offender in offenders)


# images.upload-forms


@pytest.mark.parametrize("every", [(), ("at-once",), ("strict",)])
def test_every_form_of_upload_is_taken_by_sound_replicas(every):
    with registries(every=every) as found:
        examine(forms, found, "p", new_image)


@pytest.mark.parametrize(
    "flaw, thing, words",
    [
        ("miscounts", "in chunks", "has Range 0-1000"),
        ("keeps-cancelled", "cancelled", "its status is still told: 0-"),
        ("drops-query", "in one POST", "400"),
    ],
)
def test_a_form_that_is_not_taken_is_told_with_its_replica(flaw, thing, words):
    with registries(last=(flaw,)) as found:
        offenders = offenders_of(forms, found, "p", new_image)
    assert objects(offenders) == {"pod replica-2"}
    assert any(thing in offender.expected for offender in offenders)
    assert words in observed(offenders)


def test_an_upload_behind_a_limit_is_refused_by_the_front_door():
    with registries(limit=500) as found:
        offenders = offenders_of(forms, found, "p", new_image)
    assert objects(offenders) == {"front door"}
    assert "413" in observed(offenders)


def test_what_one_took_and_the_next_does_not_give_is_the_next_ones():
    with doors(*(FakeRegistry(Store()) for _ in range(3))) as found:
        offenders = offenders_of(forms, found, "p", new_image)
    assert len(offenders) == 3 * 3
    assert all(offender.expected.startswith("gives the blob that ") for offender in offenders)


# images.empty-blob


def test_a_blob_without_a_byte_is_taken_and_given():
    with registries() as found:
        examine(empty, found, "p", new_image)


def test_who_refuses_a_blob_without_a_byte_that_others_take_is_named():
    for flaws, name in (({"last": ("no-empty",)}, "pod replica-2"), ({"last": ("silent",)}, "pod replica-2")):
        with registries(**flaws) as found:
            assert name in objects(offenders_of(empty, found, "p", new_image))
    with registries("no-empty") as found:
        (offender,) = offenders_of(empty, found, "p", new_image)
    assert (offender.object, "500" in offender.observed) == ("front door", True)


def test_a_registry_that_can_store_none_anywhere_is_not_applicable():
    with registries(every=("no-empty",)) as found, pytest.raises(NotApplicable, match="500"):
        examine(empty, found, "p", new_image, not_applicable)


def test_a_registry_that_takes_no_blob_at_all_does_not_hide_behind_empty_ones():
    with registries(every=("no-blobs",)) as found:
        offenders = offenders_of(empty, found, "p", new_image, not_applicable)
    assert objects(offenders) == {"front door", "pod replica-1", "pod replica-2"}


def test_an_empty_blob_that_the_next_does_not_give_is_the_next_ones():
    with doors(*(FakeRegistry(Store()) for _ in range(3))) as found:
        assert len(offenders_of(empty, found, "p", new_image)) == 3


# images.chunk-out-of-order


@pytest.mark.parametrize("every", [(), ("strict",)])
def test_chunks_out_of_order_are_refused_at_once_or_at_the_end(every):
    with registries(every=every) as found:
        examine(disorder, found, "p", new_image)


def test_a_wrong_blob_that_is_taken_or_kept_is_red():
    with registries(last=("lax",)) as found:
        (offender,) = offenders_of(disorder, found, "p", new_image)
    assert offender.object == "pod replica-2"
    assert "right bytes" in offender.expected
    with registries(last=("keeps-refused",)) as found:
        (offender,) = offenders_of(disorder, found, "p", new_image)
    assert offender.object == "pod replica-2"
    assert "without what it has refused" in offender.expected


def test_a_refused_upload_that_cannot_be_cancelled_either_is_refused_all_the_same():
    with registries(every=("cannot-cancel",)) as found:
        examine(disorder, found, "p", new_image)


def test_a_replica_that_fails_has_refused_nothing():
    with registries(last=("silent",)) as found:
        (offender,) = offenders_of(disorder, found, "p", new_image)
    assert (offender.object, "503" in offender.observed) == ("pod replica-2", True)


# images.mount-across-repositories


@pytest.mark.parametrize("every", [(), ("mounts-from-anywhere",)])
def test_a_blob_is_mounted_and_one_that_is_nowhere_is_sent(every):
    with registries(every=every) as found:
        examine(mounts, found, "p", new_image)


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("no-mounts", "in its place"),
        ("drops-query", "in its place"),
        ("mounts-anything", "nobody has pushed"),
        ("mounts-from-nowhere", "404"),
    ],
)
def test_a_front_door_that_mounts_nothing_or_anything_is_named(flaw, words):
    with registries(flaw) as found:
        offenders = offenders_of(mounts, found, "p", new_image)
    assert objects(offenders) == {"front door"}
    assert words in observed(offenders)


def test_replicas_that_share_nothing_mount_nothing_from_each_other():
    with doors(*(FakeRegistry(Store()) for _ in range(3))) as found:
        assert len(offenders_of(mounts, found, "p", new_image)) == 9


# images.mount-needs-pull-right


@contextmanager
def harbor_of(*flaws):
    """A Harbor with one replica, where a developer may pull from repositories of `public` only."""
    members = []
    with FakeRegistry(Store(), *flaws).running() as server:
        front = SimpleNamespace(
            projects=lambda name, credentials: {name: 7},
            add_member=lambda project, user, role, credentials: members.append((project, user, role)),
        )
        yield SimpleNamespace(
            front_door=front,
            members=members,
            credentials=Credentials("admin", "secret"),
            user=Credentials("admin", "secret"),
            client=Credentials("admin", "secret"),
            profile=SimpleNamespace(member_roles={Standing.DEVELOPER: 2}),
            registry_api_replicas=lambda: [SimpleNamespace(name="replica-1", object="pod replica-1")],
            registry=lambda replica, credentials=None: server.registry(
                replica.name, credentials.user if credentials else "admin"
            ),
        )


def mount_private(harbor, source="private"):
    examine(private, harbor, source, "public", lambda: DEVELOPER, new_image)


def test_a_private_blob_is_not_mounted_by_a_stranger():
    with harbor_of() as harbor:
        mount_private(harbor)
        assert harbor.members == [(7, "developer", 2)]
    with harbor_of("no-mounts") as harbor:
        mount_private(harbor)


def test_a_mount_that_hands_a_private_blob_over_is_red():
    with harbor_of("mounts-anything") as harbor:
        offenders = offenders_of(mount_private, harbor)
    assert [offender.observed for offender in offenders] == ["it was mounted (201)", "it gives the blob"]
    with harbor_of("mounts-from-anywhere") as harbor:
        offenders = offenders_of(mount_private, harbor)
    assert [offender.observed for offender in offenders] == [
        "it was mounted (201), without a name to mount it from",
        "it gives the blob",
    ]


def test_a_registry_that_gives_the_private_blob_itself_is_red():
    with harbor_of() as harbor:
        (offender,) = offenders_of(lambda harbor: mount_private(harbor, "public/more"), harbor)
    assert "without a mount" in offender.observed


# images.long-names, tag-pages, catalogue-pages


def test_long_names_and_pages_of_sound_replicas():
    with registries() as found:
        examine(names, found, "p", new_image)
        examine(pages, found, "p", new_image, never)


@pytest.mark.parametrize(
    "flaw, words",
    [("flat", "404 page not found"), ("long-tags", "it was taken"), ("corrupts", "not sha256:")],
)
def test_names_that_are_refused_or_too_long_are_red(flaw, words):
    with registries(last=(flaw,)) as found:
        offenders = offenders_of(names, found, "p", new_image)
    assert objects(offenders) == {"pod replica-2"}
    assert words in observed(offenders)


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("drops-query", "a page is too long"),
        ("drops-link", "and no Link to more"),
        ("forgets-a-tag", "t-2, t-3, t-4, t-5"),
    ],
)
def test_a_front_door_with_wrong_pages_is_named(flaw, words):
    with registries(flaw) as found:
        offenders = offenders_of(pages, found, "p", new_image, never)
    assert objects(offenders) == {"front door"}
    assert words in observed(offenders)


def test_a_registry_without_pages_is_not_applicable():
    with registries(every=("no-pages",)) as found, pytest.raises(NotApplicable, match="gives all"):
        examine(pages, found, "p", new_image, not_applicable)


def test_a_registry_without_pages_beside_others_is_an_offender():
    with registries(last=("no-pages",)) as found:
        offenders = offenders_of(pages, found, "p", new_image, never)
    assert objects(offenders) == {"pod replica-2"}


def list_catalogue(*flaws, replicas=3, user="admin"):
    """Run the check on a front door with `flaws`; how often it asked there."""
    asked = []
    with registries(*flaws) as found:
        for name in ("other/one", "zoo/one"):
            found[1].registry.push(new_image(), name, "one")

        def opened(link, credentials):
            asked.append(credentials.user)
            return Registry(link, by_token(lambda scope: f"{credentials.user}|{scope}"))

        harbor = SimpleNamespace(
            access=SimpleNamespace(url="http://harbor"),
            credentials=Credentials(user, "secret"),
            registry_api_replicas=lambda: [None] * replicas,
            new_front_door_link=lambda: HttpClient(
                "front", found[0].registry.http.base_url, timeouts_s=(2, 5)
            ),
            front_registry_for_all=opened,
        )
        examine(catalogue, harbor, found, "p", new_image)
    return len(asked)


def test_the_catalogue_is_read_page_by_page_until_each_replica_was_met():
    assert list_catalogue(replicas=1) == 1
    assert list_catalogue(replicas=3) == 18


@pytest.mark.parametrize(
    "flaw, words",
    [
        ("drops-query", "the first page is other/one, p/listed-1, p/listed-2 and 4 more"),
        ("drops-link", "p/listed-2, p/listed-3, and no Link to more"),
        ("forgets-a-repository", "the page that the first one's Link leads to is p/listed-5, zoo/one"),
    ],
)
def test_a_catalogue_with_wrong_pages_is_red(flaw, words):
    (offender,) = offenders_of(list_catalogue, flaw)
    assert offender.object == "front door http://harbor"
    assert words in offender.observed


def test_a_catalogue_that_is_kept_from_the_administrator_is_red():
    (offender,) = offenders_of(lambda: list_catalogue(user="developer"))
    assert "401" in offender.observed
