"""The checks of a Redis' room, of what it throws away, and of what it writes down, with what INFO says."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.errors import CannotTell, NotApplicable, StoreRefused
from harbor_verify.facts import Fact, StorePlace
from harbor_verify.model.stores import SessionStore
from suites.capacity.test_session_store import (
    test_the_session_store_has_memory_and_connections_left as has_room,
)
from suites.capacity.test_session_store import (
    test_the_session_store_throws_nothing_away_when_it_is_full as evicts_nothing,
)
from suites.durability.test_session_store import test_the_session_store_writes_down_what_it_is_told as writes
from tests.unit.running import examine, never, not_applicable, offenders_of

STORE = SessionStore("redis", 6379, "hush", 0)
MEMORY = {"used_memory": 10, "maxmemory": 100, "maxmemory_policy": "noeviction"}
CLIENTS = {"connected_clients": 10, "maxclients": 100}
WRITTEN = {"aof_enabled": 1, "rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok"}
SETTINGS = SimpleNamespace(full_percent=85)
FACTS = SimpleNamespace(session_store=Fact(StorePlace.OUTSIDE, "its name"))


def harbor(*, save="", **told):
    """A Harbor whose Redis says all of `told`; an exception: it refuses with that."""

    def setting(name):
        assert name == "save"
        if isinstance(save, Exception):
            raise save
        return save

    def facts(section):
        if isinstance(told.get("refused"), Exception):
            raise told["refused"]
        return told

    @contextmanager
    def redis(store):
        yield SimpleNamespace(facts=facts, setting=setting)

    return SimpleNamespace(session_store=lambda: STORE, redis=redis)


def test_a_redis_that_keeps_all_and_has_room_is_well():
    measured = {}
    examine(evicts_nothing, harbor(**MEMORY, evicted_keys=0), never, measured)
    examine(has_room, harbor(**MEMORY, **CLIENTS), SETTINGS, never, measured)
    assert measured == {
        "session_store_evicted_count": 0,
        "session_store_memory_percent": 10.0,
        "session_store_clients_percent": 10.0,
    }


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl"])
def test_one_that_would_throw_keys_away_is_told_before_it_does(policy):
    told = {**MEMORY, "maxmemory_policy": policy, "evicted_keys": 0}
    (offender,) = offenders_of(evicts_nothing, harbor(**told), never, {})
    assert policy in offender.observed


def test_without_a_limit_nothing_is_thrown_away():
    told = {**MEMORY, "maxmemory_policy": "allkeys-lru", "maxmemory": 0}
    examine(evicts_nothing, harbor(**told), never, {})
    (offender,) = offenders_of(evicts_nothing, harbor(**told, evicted_keys=3), never, {})
    assert "3 keys" in offender.observed


@pytest.mark.parametrize("told", [{}, {"refused": StoreRefused("NOPERM")}])
def test_what_it_does_not_tell_is_unknown(told):
    with pytest.raises(CannotTell):
        examine(evicts_nothing, harbor(**told), never, {})


@pytest.mark.parametrize(
    "told, wanted", [({"used_memory": 85}, "85 of 100"), ({"connected_clients": 99}, "99 of 100")]
)
def test_what_is_nearly_full_is_told_with_its_figures(told, wanted):
    (offender,) = offenders_of(has_room, harbor(**{**MEMORY, **CLIENTS, **told}), SETTINGS, never, {})
    assert wanted in offender.observed


def test_without_limits_there_is_nothing_that_could_be_full():
    with pytest.raises(NotApplicable, match="no limit"):
        examine(has_room, harbor(**{**MEMORY, "maxmemory": 0}), SETTINGS, not_applicable, {})


def test_an_append_only_file_or_snapshots_are_well():
    examine(writes, harbor(**WRITTEN), FACTS, never)
    examine(writes, harbor(**{**WRITTEN, "aof_enabled": 0}, save="900 1"), FACTS, never)


def test_one_that_keeps_all_in_memory_is_told():
    (offender,) = offenders_of(writes, harbor(**{**WRITTEN, "aof_enabled": 0}), FACTS, never)
    assert "in memory only" in offender.observed


def test_what_could_not_be_written_is_told():
    (offender,) = offenders_of(writes, harbor(**{**WRITTEN, "rdb_last_bgsave_status": "err"}), FACTS, never)
    assert offender.observed == "rdb_last_bgsave_status is err"


def test_one_that_hides_its_settings_is_not_judged():
    hidden = harbor(**{**WRITTEN, "aof_enabled": 0}, save=StoreRefused("NOPERM"))
    managed = SimpleNamespace(session_store=Fact(StorePlace.MANAGED, "its name"))
    for facts in (FACTS, managed):
        with pytest.raises(NotApplicable, match="NOT verified"):
            examine(writes, hidden, facts, not_applicable)
