"""The checks of what a database acknowledges, and of how many of a cluster's nodes take writes."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.clients.mysql import MySql
from harbor_verify.clients.postgresql import PostgreSql
from harbor_verify.errors import NotApplicable
from harbor_verify.facts import Fact, StorePlace
from harbor_verify.model.stores import Database, Durability, Redundancy
from suites.durability import test_database
from tests.unit.running import examine, never, not_applicable, offenders_of

KEPT = test_database.test_what_the_database_acknowledged_is_kept
ONE_WRITER = test_database.test_all_connections_lead_to_one_node_of_the_databases_cluster
DATABASE = Database("postgresql", "db", 5432, user="harbor", password="hush", name="registry")
FOLLOWED, ALONE = Redundancy(True, "1 standby follows it"), Redundancy(False, "no standby follows it")
FACTS = SimpleNamespace(database=Fact(StorePlace.OUTSIDE, "its name"))
LATE = "no commit waits for another server"


@pytest.fixture
def harbor(monkeypatch):
    """`harbor(durability, redundancy, nodes)`: each connection in turn leads to the next of the nodes."""

    def made(durability=None, redundancy=FOLLOWED, nodes=(None,)):
        opened = []

        @contextmanager
        def database(target):
            opened.append(nodes[len(opened) % len(nodes)])
            node = opened[-1]
            yield SimpleNamespace(
                durability=lambda: durability, redundancy=lambda: redundancy, writer=lambda: node
            )

        monkeypatch.setattr(test_database, "harbors_database", database)
        return SimpleNamespace(database=lambda: DATABASE)

    return made


@pytest.mark.parametrize("redundancy", [FOLLOWED, ALONE])
def test_commits_that_are_on_disk_and_on_the_standby_are_well(harbor, redundancy):
    examine(KEPT, harbor(Durability(()), redundancy), FACTS)


def test_commits_that_are_not_written_down_are_told(harbor):
    (offender,) = offenders_of(KEPT, harbor(Durability(("fsync is off",))), FACTS)
    assert (offender.object, offender.observed) == (f"database {DATABASE}", "fsync is off")


def test_commits_that_wait_for_no_standby_are_told_where_there_is_one(harbor):
    (offender,) = offenders_of(KEPT, harbor(Durability((), LATE)), FACTS)
    assert offender.observed == f"{LATE}; 1 standby follows it"
    # That there is none is another check's, and how a service is replicated that somebody else runs nobody shows.
    examine(KEPT, harbor(Durability((), LATE), ALONE), FACTS)
    managed = SimpleNamespace(database=Fact(StorePlace.MANAGED, "its name"))
    examine(KEPT, harbor(Durability((), LATE)), managed)
    examine(KEPT, harbor(Durability((), LATE), Redundancy(True, "", "its role rds_superuser")), FACTS)


@pytest.mark.parametrize(
    "row, kept",
    [
        (("on", "on", "on", "ANY 1 (a)"), Durability(())),
        (("on", "on", "remote_apply", "ANY 1 (a)"), Durability(())),
        (("off", "on", "on", "ANY 1 (a)"), Durability(("fsync is off",))),
        (("on", "on", "off", "ANY 1 (a)"), Durability(("synchronous_commit is off",))),
        (("on", "on", "local", "ANY 1 (a)"), Durability((), f"synchronous_commit is local: {LATE}")),
        (("on", "on", "on", ""), Durability((), f"synchronous_standby_names is empty: {LATE}")),
    ],
)
def test_postgresql_says_it_by_its_settings(row, kept):
    sql = SimpleNamespace(rows=lambda query: [row])
    assert PostgreSql.durability(sql) == kept


@pytest.mark.parametrize(
    "flush, node, well",
    [("1", None, True), ("2", None, False), ("0", None, False), ("2", "n1", True), ("0", "n1", False)],
)
def test_mysql_says_it_by_when_it_flushes_its_log(flush, node, well):
    name = "innodb_flush_log_at_trx_commit"
    sql = SimpleNamespace(variables=lambda query: {name: flush}, writer=lambda: node)
    assert MySql.durability(sql) == Durability(() if well else (f"{name} is {flush}",))


def test_a_node_of_galera_tells_its_name():
    told = {"wsrep_provider": "/usr/lib/galera.so", "wsrep_node_name": "n1", "wsrep_cluster_size": "3"}
    assert MySql.writer(SimpleNamespace(variables=lambda query: told)) == "n1"
    assert MySql.writer(SimpleNamespace(variables=lambda query: {})) is None


def test_connections_that_all_lead_to_one_node_are_well(harbor):
    measured = {}
    examine(ONE_WRITER, harbor(nodes=("n1",)), never, measured)
    assert measured == {"database_writers_count": 1}


def test_nodes_that_take_turns_are_named(harbor):
    (offender,) = offenders_of(ONE_WRITER, harbor(nodes=("n1", "n2")), never, {})
    assert offender.observed == "6 connections lead to n1, n2"


def test_without_a_cluster_there_is_one_writer_only(harbor):
    with pytest.raises(NotApplicable):
        examine(ONE_WRITER, harbor(), not_applicable, {})
