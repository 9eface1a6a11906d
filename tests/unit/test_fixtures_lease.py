"""One run at a time a namespace: whether a holder lives is seen by what changes, on one's own clock."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from harbor_verify import lease
from harbor_verify.errors import LeaseLost, NamespaceBusy, TargetUnreachable
from harbor_verify.lease import NamespaceLease
from tests.unit.fake_objects import LEASE, Objects, serving

LEASES = LEASE.rpartition("/")[0]
MICRO = "%Y-%m-%dT%H:%M:%S.%fZ"


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    for name, value in (
        ("DURATION_S", 1),
        ("GIVE_UP_S", 0.6),
        ("RENEW_EVERY_S", 0.1),
        ("_LOOK_EVERY_S", 0.05),
    ):
        monkeypatch.setattr(lease, name, value)


@pytest.fixture
def objects():
    return Objects()


@pytest.fixture
def kubernetes(objects):
    with serving(objects) as kubernetes:
        yield kubernetes


@pytest.fixture
def lease_of(kubernetes):
    """Leases that are given back at the end."""
    made = []

    def make(holder, **more):
        made.append(NamespaceLease(kubernetes, "harbor", holder, **more))
        return made[-1]

    yield make
    for each in made:
        each.release()


def held(objects, holder="killed", *, clock=timedelta(), binds_s=1):
    now = (datetime.now(UTC) + clock).strftime(MICRO)
    spec = {"holderIdentity": holder, "leaseDurationSeconds": binds_s, "renewTime": now}
    return objects.put(LEASE, {"spec": spec})


def holder_of(objects):
    return objects.there[LEASE]["spec"]["holderIdentity"]


def test_a_lease_is_taken_and_given_back(lease_of, objects):
    mine = lease_of("me")
    mine.acquire()
    assert holder_of(objects) == "me"
    mine.require_held()
    mine.require_mine()
    mine.release()
    assert LEASE not in objects.there


def test_a_second_run_is_told_who_is_alive_at_the_first_change_that_it_sees(lease_of, monkeypatch):
    monkeypatch.setattr(lease, "DURATION_S", 60)
    lease_of("run A, process 7").acquire()
    began_s, told = time.monotonic(), []
    with pytest.raises(NamespaceBusy, match=r"is alive: run A, process 7"):
        lease_of("run B").acquire(tell=told.append)
    assert time.monotonic() - began_s < 30, "it does not wait until the Lease would have run out"
    assert "run A, process 7 holds the Lease harbor/harbor-verify" in told[0]


@pytest.mark.parametrize("clock", [timedelta(hours=-9), timedelta(), timedelta(hours=9)])
def test_what_a_killed_run_left_is_taken_when_it_has_not_changed_for_its_time_whatever_its_clock_said(
    lease_of, objects, clock
):
    held(objects, clock=clock)
    began_s, mine = time.monotonic(), lease_of("me")
    mine.acquire()
    assert 1 <= time.monotonic() - began_s < 3
    assert holder_of(objects) == "me"
    mine.require_held()


@pytest.mark.parametrize("clock", [timedelta(hours=-9), timedelta(hours=9)])
def test_a_holder_whose_clock_is_off_by_hours_is_alive_as_long_as_it_renews(lease_of, objects, clock):
    held(objects, "elsewhere", clock=clock)
    renewal = threading.Timer(0.5, held, [objects, "elsewhere"], {"clock": clock})
    renewal.start()
    with pytest.raises(NamespaceBusy, match="elsewhere"):
        lease_of("me").acquire()
    renewal.join()
    assert holder_of(objects) == "elsewhere"


def test_a_lease_that_is_given_back_while_one_looks_is_taken_at_once(lease_of, objects):
    held(objects, binds_s=30)
    threading.Timer(0.2, objects.there.pop, [LEASE]).start()
    lease_of("me").acquire()
    assert holder_of(objects) == "me"


def test_a_lease_without_a_holder_is_free(lease_of, objects):
    held(objects, "", binds_s=60)
    began_s = time.monotonic()
    lease_of("me").acquire()
    assert time.monotonic() - began_s < 30


def test_who_is_told_to_takes_it_from_one_who_is_alive_and_that_one_learns_it(lease_of, objects):
    lost = threading.Event()
    first = lease_of("first", on_lost=lambda reason: lost.set())
    first.acquire()
    lease_of("second").acquire(seize=True)
    assert holder_of(objects) == "second"
    assert lost.wait(5)
    with pytest.raises(LeaseLost, match="second has it now"):
        first.require_held()
    first.release()
    assert holder_of(objects) == "second", "what is another's is left alone"


def test_of_two_who_find_it_run_out_one_gets_it(lease_of, objects):
    held(objects)
    outcomes = []

    def take(name):
        try:
            lease_of(name).acquire()
            outcomes.append(name)
        except NamespaceBusy:
            outcomes.append("busy")

    threads = [threading.Thread(target=take, args=[name]) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["a", "busy"], ["b", "busy"])
    assert holder_of(objects) in outcomes


def test_it_is_renewed_while_the_run_lasts(lease_of, objects):
    mine = lease_of("me")
    mine.acquire()
    first = objects.there[LEASE]["spec"]["renewTime"]
    time.sleep(1.2)
    mine.require_held()
    assert objects.there[LEASE]["spec"]["renewTime"] > first


@pytest.mark.parametrize(
    "event, told",
    [("taken", "thief has it now"), ("deleted", "somebody deleted it"), ("silent", "renewed for .*503")],
)
def test_a_run_that_loses_it_is_told_once_from_a_thread_of_its_own(lease_of, objects, event, told):
    reasons = []
    mine = lease_of("me", on_lost=reasons.append)
    mine.acquire()
    if event == "taken":
        held(objects, "thief")
    elif event == "deleted":
        del objects.there[LEASE]
    else:
        objects.refuse = {("GET", LEASE): 503}
    mine._renewer.join(timeout=5)
    with pytest.raises(LeaseLost, match=told) as lost:
        mine.require_held()
    assert reasons == [str(lost.value)]
    objects.refuse = {}


def test_who_could_not_renew_it_in_time_stops_before_others_may_begin(lease_of, objects):
    """Also where the thread that renews it hangs, or the whole process slept."""
    mine = lease_of("me")
    mine.acquire()
    mine._released.set()
    mine._renewer.join()
    time.sleep(0.7)
    with pytest.raises(LeaseLost, match="it could not be renewed for 1 s"):
        mine.require_held()


def test_an_api_server_that_is_away_for_a_moment_loses_nothing(lease_of, objects):
    mine = lease_of("me")
    mine.acquire()
    objects.refuse = {("GET", LEASE): 503, ("PUT", LEASE): 503}
    time.sleep(0.3)
    objects.refuse = {}
    time.sleep(0.6)
    mine.require_held()


def test_not_being_allowed_is_told(lease_of, objects):
    objects.refuse = {("POST", LEASES): 403}
    with pytest.raises(TargetUnreachable, match="403"):
        lease_of("me").acquire()
