"""Connections that the stand-ins keep, and the Sentinel that tells one of them where to go."""

import time

import pytest
import redis

from lab.harbor.harbor_2 import redis_pool
from lab.harbor.idle_connections import IdleConnections


class Opened:
    """Connections are numbers; those that were closed are in `closed`."""

    def __init__(self, **settings) -> None:
        self.number, self.closed = 0, []
        self.pool = IdleConnections(self._connect, self.closed.append, None, 2, **settings)

    def _connect(self) -> int:
        self.number += 1
        return self.number

    def use(self) -> int:
        with self.pool.lent() as connection:
            return connection


def test_the_connection_used_last_is_the_next_and_no_more_are_kept_than_may_be():
    opened = Opened()
    with opened.pool.lent(), opened.pool.lent(), opened.pool.lent():
        pass
    assert opened.closed == [1]
    assert [opened.use(), opened.use()] == [2, 2]
    opened.pool.drop(lambda connection: connection == 2)
    assert (opened.use(), opened.closed) == (3, [1, 2])


@pytest.mark.parametrize("limit", ["lifetime_s", "idle_s"])
def test_one_that_is_too_old_or_lay_for_too_long_is_not_used_again(limit):
    opened = Opened(**{limit: 0.05})
    assert opened.use() == 1
    time.sleep(0.06)
    assert opened.closed == []
    assert (opened.use(), opened.closed) == (2, [1])


def test_where_somebody_looks_for_them_it_is_closed_without_being_asked_for():
    opened = Opened(idle_s=0.02, reap_every_s=0.01)
    opened.use()
    until_s = time.monotonic() + 5
    while not opened.closed and time.monotonic() < until_s:
        time.sleep(0.01)
    assert opened.closed == [1]


OLD, NEW = ("192.0.2.1", 6379), ("192.0.2.2", 6379)


@pytest.fixture
def asked(monkeypatch):
    """What each Sentinel answers, by its port; None: it does not."""
    answers = {1: OLD, 2: NEW}

    class Sentinel:
        def __init__(self, place, settings, *, tls):
            self.port = place()[1]

        def execute_command(self, *words):
            if answers[self.port] is None:
                raise redis.TimeoutError("no answer")
            host, port = answers[self.port]
            return [host.encode(), str(port).encode()]

    monkeypatch.setattr(redis_pool, "Client", Sentinel)
    monkeypatch.setattr(redis_pool.Sentinels, "_listen", lambda self, sentinel, address: None)
    return answers


def test_core_believes_the_one_sentinel_that_it_listens_to_as_long_as_that_answers(asked):
    sentinels = redis_pool.Sentinels([("s", 1), ("s", 2)], "harbor", {}, tls=False)
    left = []
    sentinels.on_switch = left.append
    assert [sentinels.primary(), sentinels.primary()] == [OLD, OLD]  # whatever the other says
    asked[1] = None
    assert sentinels.primary() == NEW
    asked[1] = OLD
    assert sentinels.primary() == NEW
    assert left == [OLD, NEW]
    asked[1] = asked[2] = None
    with pytest.raises(redis.ConnectionError, match="all sentinels"):
        sentinels.primary()
