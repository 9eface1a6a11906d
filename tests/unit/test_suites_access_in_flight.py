"""The check of log-outs with a request in flight: what is Harbor's own is told, what was set up is judged."""

from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import CannotTell, NeedMissing, NoAnswer, WrongConfiguration
from harbor_verify.model.stores import SessionStore
from suites.access.test_requests_in_flight import (
    test_a_log_out_that_a_request_in_flight_undoes_is_undone_for_a_day_at_most as undone,
)
from tests.unit.running import examine, offenders_of

USER = Credentials("verify-1", "x")
STORE = SessionStore("redis", 6379, password="hush", database=0)


class Web:
    """A web replica; `writes_back` as the real one, at the end of each request. `late`: of so many requests it takes
    up the end only, as where somebody before it collects them.
    """

    def __init__(self, name, sessions, *, writes_back=True, late=0):
        self.name, self.sessions, self.writes_back, self.late = name, sessions, writes_back, late

    def sign_in(self, credentials):
        self.sessions.add(f"of-{self.name}")
        return Session(credentials.user, f"of-{self.name}")

    def whoami(self, session):
        return session.user if session.cookie in self.sessions else None

    def sign_out(self, session):
        self.sessions.discard(session.cookie)

    def request_in_flight(self, session, meanwhile):
        self.late -= 1
        known = session.cookie in self.sessions and self.late < 0
        meanwhile()
        if known and self.writes_back:
            self.sessions.add(session.cookie)
        return known


class Redis:
    def __init__(self, left_s):
        self.left_s = left_s

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def time_to_live_s(self, key):
        return self.left_s


@pytest.fixture(autouse=True)
def short_head_starts(monkeypatch):
    monkeypatch.setattr("suites.access.test_requests_in_flight._HEAD_STARTS_S", (0, 0.01))


def look(*, left_s=3600, store=STORE, need=lambda name: None, apart=False, webs=None, **web):
    """Run the check on two replicas; what it measured, and what it told as Harbor's own."""
    shared = set()
    webs = webs or [Web("core-0", shared, **web), Web("core-1", set() if apart else shared, **web)]
    by_name = {each.name: each for each in webs}

    def session_store():
        if isinstance(store, Exception):
            raise store
        return store

    harbor = SimpleNamespace(
        user=USER,
        replicas=lambda role: [SimpleNamespace(name=each.name, object=f"pod {each.name}") for each in webs],
        web=lambda replica: by_name[replica.name],
        session_store=session_store,
        redis=lambda asked: Redis(left_s),
    )
    measured, told = {}, []
    examine(undone, harbor, measured, need=need, harbors_own=told.append)
    assert not any(each.sessions for each in webs), "every session was ended in the end"
    return measured, told


def test_a_session_that_comes_back_for_an_hour_is_harbors_own_flaw_and_no_failure():
    measured, (told,) = look()
    assert measured == {"sessions_brought_back_count": 2}
    assert "it lives for 60 minutes more" in told


def test_a_harbor_without_the_flaw_passes_and_has_nothing_told_of_it():
    assert look(writes_back=False) == ({"sessions_brought_back_count": 0}, [])


@pytest.mark.parametrize(
    "left_s, told",
    [
        (-1, "it came back, and never expires"),
        (30 * 86400, "it came back, for 720 hours from its last use"),
    ],
)
def test_one_that_comes_back_for_days_or_for_ever_was_set_up_so(left_s, told):
    offenders = offenders_of(lambda: look(left_s=left_s))
    assert [(each.object, each.observed) for each in offenders] == [
        ("pod core-0", told),
        ("pod core-1", told),
    ]


def test_a_day_is_not_too_long():
    look(left_s=86400)


def test_replicas_that_share_no_sessions_are_asked_by_themselves():
    """What is wrong with them others say."""
    assert look(apart=True, left_s=None)[0] == {"sessions_brought_back_count": 2}


def test_a_replica_that_keeps_no_session_has_none_that_could_come_back():
    """Its session store refuses what it writes, say: others tell of it."""

    class Forgetful(Web):
        def sign_in(self, credentials):
            return Session(credentials.user, "of-nobody")

    shared = set()
    webs = [Forgetful("core-0", shared), Web("core-1", shared)]
    assert look(webs=webs)[0] == {"sessions_brought_back_count": 1}


@pytest.mark.parametrize("store", [None, WrongConfiguration("no URL")])
def test_without_a_store_nobody_says_how_long_it_lives(store):
    _, (told,) = look(store=store)
    assert "it lives on" in told


def test_a_request_that_somebody_collects_before_it_is_passed_on_shows_nothing():
    with pytest.raises(CannotTell, match="something in between collects it"):
        look(late=99)


def test_one_that_a_busy_replica_takes_up_late_is_sent_again_with_a_longer_head_start(monkeypatch):
    waited = []
    monkeypatch.setattr("suites.access.test_requests_in_flight.time.sleep", waited.append)
    assert look(late=1)[0] == {"sessions_brought_back_count": 2}
    assert waited == [0, 0.01] * 2


def test_no_way_to_the_store_is_no_verdict():
    def need(name):
        raise NeedMissing("no way")

    with pytest.raises(NeedMissing):
        look(need=need)


def test_a_replica_that_does_not_answer_is_named():
    class Silent(Web):
        def sign_in(self, credentials):
            raise NoAnswer("no answer", sent=True)

    shared = set()
    (offender,) = offenders_of(lambda: look(webs=[Silent("core-0", shared), Web("core-1", shared)]))
    assert offender.object == "pod core-0"
