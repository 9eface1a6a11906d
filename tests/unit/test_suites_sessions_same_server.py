"""Whether web replicas speak to the Redis of their settings: judged on evidence that was tampered with."""

from itertools import count
from types import SimpleNamespace

import pytest

from harbor_verify import running_replicas
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import CannotTell, NotApplicable, ProgramMissing, StoreRefused, WrongConfiguration
from harbor_verify.model.stores import SessionStore
from suites.sessions.test_same_server import (
    test_every_web_replica_speaks_to_the_redis_that_its_settings_lead_to as same_server,
)
from tests.unit.running import examine, offenders_of

PRIMARY = SessionStore("redis", 6379, password="hush", database=0)
OTHER_NUMBER = SessionStore("redis", 6379, password="hush", database=7)


class Web:
    """A web replica; `store` is what its settings name, `writes_to` the keys of the Redis that it speaks to."""

    numbers = count()

    def __init__(self, writes_to, *, store=PRIMARY, worth_nothing=False):
        self.writes_to, self.store, self.worth_nothing = writes_to, store, worth_nothing

    def sign_in(self, credentials):
        session = Session(credentials.user, f"key-{next(self.numbers)}")
        if not self.worth_nothing:
            self.writes_to.add(session.cookie)
        return session

    def whoami(self, session):
        return session.user if session.cookie in self.writes_to else None


class Redis:
    def __init__(self, keys, told):
        self.keys, self.told = keys, told

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def facts(self, section):
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def time_to_live_s(self, key):
        return 3600 if key in self.keys else None


def look(monkeypatch, *webs, servers, told=None):
    """`servers`: the keys that lie in the Redis of each setting."""
    replicas = [
        SimpleNamespace(name=f"core-{n}", object=f"pod core-{n}", web=web) for n, web in enumerate(webs)
    ]

    def environment(harbor, replica):
        if isinstance(replica.web.store, CannotTell | ProgramMissing):
            raise replica.web.store
        return replica.web.store

    def session_store(environment):
        if isinstance(environment, WrongConfiguration):
            raise environment
        return environment

    monkeypatch.setattr(running_replicas, "environment", environment)
    harbor = SimpleNamespace(
        user=Credentials("verify-1", "x"),
        replicas=lambda role: replicas,
        web=lambda replica: replica.web,
        redis=lambda store: Redis(servers[store], told or {"role": "master", "connected_slaves": 2}),
        profile=SimpleNamespace(session_store=session_store),
        deployment=SimpleNamespace(environment=lambda replica: PRIMARY),
    )

    def not_applicable(reason):
        raise NotApplicable(reason)

    examine(same_server, harbor, not_applicable=not_applicable)


def wrong(monkeypatch, *webs, **given):
    return offenders_of(lambda: look(monkeypatch, *webs, **given))


def test_replicas_whose_sessions_lie_where_their_settings_lead_are_well(monkeypatch):
    now = set()
    look(monkeypatch, Web(now), Web(now), servers={PRIMARY: now})


def test_a_replica_that_stays_with_an_old_primary_is_named(monkeypatch):
    now, old = set(), set()
    (offender,) = wrong(monkeypatch, Web(now), Web(old), servers={PRIMARY: now})
    assert offender.object == "pod core-1"
    assert offender.observed == (
        "3 of 3 do not, and it knows them: it speaks to another Redis than the one that answers there now "
        "(primary, followed by 2)"
    )


def test_each_replica_with_a_redis_of_its_own_is_named(monkeypatch):
    """As recorded: every sid known on its own core only."""
    named = wrong(monkeypatch, Web(set()), Web(set()), servers={PRIMARY: set()})
    assert [each.object for each in named] == ["pod core-0", "pod core-1"]


def test_a_replica_with_other_settings_is_looked_for_where_they_lead(monkeypatch):
    """That they are others is told by configuration.session-store-configured."""
    now, seventh = set(), set()
    look(
        monkeypatch,
        Web(now),
        Web(seventh, store=OTHER_NUMBER),
        servers={PRIMARY: now, OTHER_NUMBER: seventh},
    )


def test_logins_that_are_worth_nothing_are_no_sign_of_another_redis(monkeypatch):
    now = set()
    look(monkeypatch, Web(now), Web(now, worth_nothing=True), servers={PRIMARY: now})


def test_a_redis_that_takes_no_writes_is_not_the_one_to_look_in(monkeypatch):
    look(monkeypatch, Web(set()), servers={PRIMARY: set()}, told={"role": "slave"})


def test_a_redis_that_does_not_say_what_it_is_still_has_the_keys_or_not(monkeypatch):
    now = set()
    look(monkeypatch, Web(now), servers={PRIMARY: now}, told=StoreRefused("NOPERM"))
    (offender,) = wrong(monkeypatch, Web(set()), servers={PRIMARY: now}, told=StoreRefused("NOPERM"))
    assert offender.observed.endswith("than the one that answers there now")


@pytest.mark.parametrize("store", [None, WrongConfiguration("no URL")])
def test_settings_that_name_no_store_are_not_this_checks(monkeypatch, store):
    with pytest.raises(NotApplicable, match="name a session store"):
        look(monkeypatch, Web(set(), store=store), servers={})


def test_a_container_that_cannot_be_looked_into_is_unknown(monkeypatch):
    with pytest.raises(CannotTell, match="exec broke"):
        look(monkeypatch, Web(set(), store=CannotTell("exec broke")), servers={})


def test_a_container_without_a_shell_is_taken_at_its_word(monkeypatch):
    now = set()
    look(monkeypatch, Web(now, store=ProgramMissing("no shell")), servers={PRIMARY: now})
