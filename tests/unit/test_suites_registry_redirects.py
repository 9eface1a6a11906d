"""The check of where clients are sent for blobs: on registries of a few lines, and a store beside them."""

from contextlib import contextmanager

import pytest

from harbor_verify.errors import NotApplicable
from suites.registry.test_redirects import test_whoever_is_redirected_gets_the_blob_there as redirected
from tests.unit.fake_bucket import FakeBucket
from tests.unit.fake_registry import FakeRegistry, Store, doors
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.test_suites_registry import new_image

NOBODY = "http://127.0.0.1:1"


@contextmanager
def registries(image, *, front="", last="", **bucket):
    """A front door and two replicas; `front` and `last` are where the first and the last send their clients.

    The word `store` is one that gives the image's layer to whoever asks, or what `bucket` says.
    """
    store = Store()
    with FakeBucket(**{"content": image.layer, **bucket}).running() as beside:
        ends = [
            FakeRegistry(store, elsewhere=beside.url if end == "store" else end) for end in (front, "", last)
        ]
        with doors(*ends) as found:
            yield found


def test_who_redirects_to_where_the_blob_is_does_well():
    image = new_image()
    with registries(image, front="store", last="store") as found:
        examine(redirected, found, "p", lambda: image)


def test_it_is_not_applicable_where_nobody_redirects():
    image = new_image()
    with registries(image) as found, pytest.raises(NotApplicable, match="sends nobody"):
        examine(redirected, found, "p", lambda: image, not_applicable)


def test_a_host_that_cannot_be_reached_is_named_with_who_sends_there():
    image = new_image()
    with registries(image, front="store", last=NOBODY) as found:
        (offender,) = offenders_of(redirected, found, "p", lambda: image)
    assert offender.object == "pod replica-2"
    assert NOBODY in offender.expected
    assert "refused" in offender.observed


@pytest.mark.parametrize(
    "bucket, words",
    [({"content": b"other bytes"}, "of digest"), ({"content": b"expired", "status": 403}, "403 Forbidden")],
)
def test_a_store_that_gives_something_else_or_nothing_is_wrong(bucket, words):
    image = new_image()
    with registries(image, front="store", **bucket) as found:
        (offender,) = offenders_of(redirected, found, "p", lambda: image)
    assert offender.object == "front door"
    assert words in offender.observed
