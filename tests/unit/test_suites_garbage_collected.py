"""The check of the last garbage collection, on what a Harbor tells of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from harbor_verify.clients.capabilities import Collection
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, UnexpectedAnswer
from suites.jobs.test_garbage_collection import test_garbage_is_collected as collected
from tests.unit.running import examine, offenders_of

SETTINGS = SimpleNamespace(collection_days=35)


class Harbor:
    """Tells of these collections, or raises them, and that it was founded then."""

    credentials = Credentials("admin", "hush")

    def __init__(self, collections, founded=None):
        self._collections, self._founded = collections, founded
        self.front_door = self

    def collections(self, credentials):
        if isinstance(self._collections, Exception):
            raise self._collections
        return self._collections

    def founded(self, credentials):
        return self._founded


def ago(days):
    return datetime.now(UTC) - timedelta(days=days)


def collection(id, days, status="Success", *, is_trial=False, freed=2**20):
    return Collection(id, status, ago(days), is_trial, freed)


@pytest.mark.parametrize(
    "collections, founded",
    [
        ([collection(3, 1)], 400),
        ([collection(4, 0, "Running"), collection(3, 1)], 400),
        ([collection(4, 0, "Error", is_trial=True), collection(3, 1)], 400),
        ([], 3),
        ([collection(4, 0, is_trial=True)], 3),
    ],
)
def test_one_that_succeeded_lately_or_a_harbor_that_is_young_is_well(collections, founded):
    examine(collected, Harbor(collections, ago(founded)), SETTINGS, {})


def test_what_the_last_one_freed_is_told():
    measured = {}
    examine(collected, Harbor([collection(3, 1.5)], ago(400)), SETTINGS, measured)
    assert measured == {"garbage_collected_days_ago": 1, "garbage_freed_bytes": 2**20}


@pytest.mark.parametrize(
    "collections, told",
    [
        (
            [collection(4, 1, "Error"), collection(3, 2)],
            ["number 4 ended at", ": Error; the last that succeeded: number 3"],
        ),
        ([collection(4, 1, "Stopped")], [": Stopped; none is known that succeeded"]),
        ([collection(3, 40)], ["the last that succeeded: number 3", "freed 1.0 MiB, 40 days ago"]),
        ([], ["none has ever succeeded, of 0 that are known; Harbor is 400 days old"]),
        ([collection(4, 1, is_trial=True)], ["none has ever succeeded, of 0"]),
    ],
)
def test_one_that_failed_is_old_or_never_was_is_told(collections, told):
    offenders = offenders_of(collected, Harbor(collections, ago(400)), SETTINGS, {})
    for words in told:
        assert words in offenders[0].observed


def test_dry_runs_that_may_have_pushed_the_real_ones_out_of_the_list_say_nothing_of_them():
    dry_runs = [collection(100 - number, number / 4, is_trial=True) for number in range(50)]
    with pytest.raises(CannotTell, match=r"50 since .* are dry runs"):
        examine(collected, Harbor(dry_runs, ago(400)), SETTINGS, {})
    (offender,) = offenders_of(collected, Harbor(dry_runs[:49], ago(400)), SETTINGS, {})
    assert "none has ever succeeded" in offender.observed


def test_collections_that_are_not_told_are_what_is_wrong():
    silent = Harbor(UnexpectedAnswer("→ 500", status=500))
    (offender,) = offenders_of(collected, silent, SETTINGS, {})
    assert offender.observed == "→ 500"
