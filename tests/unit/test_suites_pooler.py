"""Poolers before PostgreSQL: those that Harbor can work by way of, and those that forget what it prepares."""

from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest

from harbor_verify.clients import postgresql
from harbor_verify.clients.databases import open_sql
from harbor_verify.errors import NotApplicable
from harbor_verify.model.stores import Database
from harbor_verify.profiles.harbor_2 import PROFILE
from suites.database import test_connections, test_pooler
from tests.unit.running import examine, never, not_applicable, offenders_of

DATABASE = Database("postgresql", "pooler", 5432, user="harbor", password="hush", name="registry")
POOLER = test_pooler.test_what_harbor_prepares_is_found_again_by_way_of_a_pooler
CONNECTIONS = test_connections.test_the_database_takes_as_many_connections_as_harbor_may_open


class Pool:
    """Poolers behind one name, as PgBouncer has it, and the processes of a server behind each of them.

    `mode`: session, or transaction, with which the last that was used is the first to be used again; `knows`: whether
    it tells each process what a client has prepared. Clients come to one pooler after the other.
    """

    def __init__(self, mode, *, knows=False, poolers=1):
        self.mode, self.knows = mode, knows
        self.free = [[] for _ in range(poolers)]
        self.clients = 0

    def connect(self, **settings):
        self.clients += 1
        return Client(self, self.free[self.clients % len(self.free)])

    def process(self, free):
        if free:
            return free.pop()
        self.last = getattr(self, "last", 100) + 1
        return SimpleNamespace(number=self.last, prepared=set())


class Client:
    prepare_threshold = None

    def __init__(self, pool, free):
        self.pool, self.free, self.held, self.prepared = pool, free, None, set()
        self.info = SimpleNamespace(backend_pid=987654)

    def take(self):
        self.held = self.held or self.pool.process(self.free)

    def give_back(self):
        if self.pool.mode == "transaction":
            self.free.append(self.held)
            self.held = None

    def execute(self, query, values=None):
        within = self.held is not None
        self.take()
        number, missing = self.held.number, query in self.prepared - self.held.prepared
        if self.prepare_threshold == 0 and not missing:
            self.prepared.add(query)
            self.held.prepared.add(query)
        if not within:
            self.give_back()
        if missing and self.prepare_threshold == 0 and not self.pool.knows:
            raise psycopg.errors.InvalidSqlStatementName('prepared statement "_pg3_0" does not exist')
        row = (97, -1, -1, False) if "max_connections" in query else (number,)
        return SimpleNamespace(fetchall=lambda: [row])

    @contextmanager
    def transaction(self):
        self.take()
        yield
        self.give_back()

    def close(self):
        if self.held:
            self.free.append(SimpleNamespace(number=self.held.number, prepared=set()))


class Direct(Client):
    def take(self):
        pass

    def give_back(self):
        pass

    def execute(self, query, values=None):
        return SimpleNamespace(fetchall=lambda: [(self.info.backend_pid,)])


def harbor(monkeypatch, connect):
    monkeypatch.setattr(postgresql.psycopg, "connect", connect)
    return SimpleNamespace(
        database=lambda: DATABASE,
        sql=lambda: open_sql(DATABASE, "198.18.0.1:5432", timeouts_s=(1, 30)),
        profile=PROFILE,
        replicas=lambda role: [{"POSTGRESQL_MAX_OPEN_CONNS": "900"}],
        workload=lambda role: SimpleNamespace(name="web", desired=1),
        backing=lambda host: SimpleNamespace(owners=(), pods=()),
        deployment=SimpleNamespace(environment=lambda replica: replica, workloads={}, others=list),
    )


def test_a_pooler_that_keeps_a_connection_for_each_of_harbors_is_well(monkeypatch):
    examine(POOLER, harbor(monkeypatch, Pool("session").connect), never)


def test_a_pooler_that_shares_connections_and_knows_what_is_prepared_is_well(monkeypatch):
    examine(POOLER, harbor(monkeypatch, Pool("transaction", knows=True).connect), never)


@pytest.mark.parametrize("poolers", [1, 2])
def test_a_pooler_that_shares_connections_and_forgets_is_told_with_the_servers_words(monkeypatch, poolers):
    pool = Pool("transaction", poolers=poolers)
    (offender,) = offenders_of(POOLER, harbor(monkeypatch, pool.connect), never)
    assert offender.object == "pooler before database registry at pooler:5432 as harbor"
    assert "does not exist" in offender.observed


def test_without_a_pooler_there_is_nothing_to_say(monkeypatch):
    direct = harbor(monkeypatch, lambda **settings: Direct(None, None))
    with pytest.raises(NotApplicable, match="no pooler"):
        examine(POOLER, direct, not_applicable)


def test_how_many_connections_a_pooler_takes_the_server_does_not_know(monkeypatch):
    with pytest.raises(NotApplicable, match="NOT verified"):
        examine(CONNECTIONS, harbor(monkeypatch, Pool("session").connect), not_applicable, {})
