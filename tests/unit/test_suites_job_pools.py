"""The check of whether all who run jobs work with one Redis."""

from types import SimpleNamespace

import pytest

from harbor_verify import jobs
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.model.jobs import JobStore
from harbor_verify.model.stores import SessionStore
from suites.jobs import test_pools
from suites.jobs.test_pools import test_every_job_replica_works_with_the_redis_of_its_setting as at_work
from tests.unit.running import examine, offenders_of

NOW_S = 1_800_000_000
STORE = JobStore(SessionStore("redis", 6379, "hush", 1), "{ns}", 24)


class Redis:
    """`beats`: how many seconds ago each pool beat; an error: it refuses."""

    def __init__(self, beats):
        self._beats = beats

    def __enter__(self):
        if isinstance(self._beats, Exception):
            raise self._beats
        return self

    def __exit__(self, *_):
        pass

    def now_s(self):
        return NOW_S

    def members(self, key):
        assert key == "{ns}:worker_pools"
        return {str(number) for number in range(len(self._beats))}

    def fields(self, key):
        ago_s = self._beats[int(key.removeprefix("{ns}:worker_pools:"))]
        return {} if ago_s is None else {"heartbeat_at": str(NOW_S - ago_s)}


def look(monkeypatch, *beats, ready=2):
    """A look each time for each of `beats`, the last one again and again."""
    monkeypatch.setattr(jobs, "job_store", lambda target: STORE)
    monkeypatch.setattr(test_pools, "_WITHIN_S", 0.1)
    looks, measured = list(beats), {}
    harbor = SimpleNamespace(
        redis=lambda store: Redis(looks.pop(0) if len(looks) > 1 else looks[0]),
        replicas=lambda role: [SimpleNamespace(ready=number < ready) for number in range(3)],
        workload=lambda role: SimpleNamespace(object="Deployment h/jobs"),
    )
    return at_work, harbor, measured


@pytest.mark.parametrize("beats", [[0, 5], [-20, 29], [3, 4, 5], [2, 3, 4000, None]])
def test_a_pool_for_each_ready_replica_is_well(monkeypatch, beats):
    check, *given = look(monkeypatch, beats)
    examine(check, *given)
    assert given[-1]["pools_count"] >= 2


@pytest.mark.parametrize("beats", [[5], [5, 31], [5, None], [5, -300], []])
def test_a_replica_that_does_not_beat_there_is_told(monkeypatch, beats):
    (offender,) = offenders_of(*look(monkeypatch, beats))
    assert offender.object == "Deployment h/jobs"
    assert offender.observed == f"2 replicas are Ready, and {min(1, len(beats))} beat there in the last 30 s"


def test_one_that_has_just_started_is_waited_for(monkeypatch):
    monkeypatch.setattr(test_pools, "wait_until", lambda what, probe, **_: _until(probe))
    examine(*look(monkeypatch, [1], [2], [3, 0]))


def _until(probe):
    for _ in range(3):
        try:
            return probe()
        except test_pools.NotYet:
            continue
    raise AssertionError


def test_a_redis_that_refuses_is_unknown(monkeypatch):
    with pytest.raises(CannotTell, match="NOAUTH"):
        examine(*look(monkeypatch, StoreRefused("NOAUTH")))
