"""Checks of Harbor's database, on a database of a few lines."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from harbor_verify.database import harbors_database
from harbor_verify.errors import NotApplicable, StoreRefused, TargetUnreachable, WrongConfiguration
from harbor_verify.model.stores import Database
from harbor_verify.profiles.harbor_1_2 import PROFILE
from harbor_verify.verdict import Failure
from suites.database.test_cluster import test_every_node_of_the_databases_cluster_is_there as complete
from suites.database.test_grants import test_harbor_may_read_and_write_its_database as granted
from suites.database.test_reachable import test_the_database_lets_harbor_in_and_answers as reachable
from suites.database.test_schema import test_the_database_holds_harbors_tables_and_first_rows as schema
from tests.unit.running import examine, never, not_applicable

DATABASE = Database("mysql", "mysql", 3306, user="harbork8s", password="hush", name="registry_k8s")
SETTINGS = SimpleNamespace(database_nodes=3)
GALERA = {"wsrep_provider": "/usr/lib/galera/libgalera_smm.so", "wsrep_on": "ON"}
WELL = {
    "wsrep_cluster_size": "3",
    "wsrep_cluster_status": "Primary",
    "wsrep_local_state_comment": "Synced",
    "wsrep_ready": "ON",
}


def offenders_of(check, *args):
    with pytest.raises(Failure) as failure:
        examine(check, *args)
    assert "hush" not in str(failure.value)
    return failure.value.offenders


def target(answer, *, variables=None, settings_are=DATABASE):
    """`answer` is given a question (a query, a method and its words) and returns what the database says."""

    def database():
        if isinstance(settings_are, Exception):
            raise settings_are
        return settings_are

    def sql():
        if isinstance(answer, Exception):
            raise answer
        told = SimpleNamespace(
            rows=answer,
            variables=variables,
            tables=lambda: answer("tables"),
            has_row=lambda table, where: answer("row", table, where),
            missing_rights=lambda: answer("rights"),
        )
        return nullcontext(told)

    return SimpleNamespace(
        database=database,
        sql=sql,
        workload=lambda role: SimpleNamespace(object=f"ReplicationController of the {role}"),
        profile=PROFILE,
    )


def refusal(*question):
    raise StoreRefused("database registry_k8s at mysql:3306: SELECT command denied (1142)")


# What all of them say when they are not let in

ALL = [reachable, schema, granted, lambda harbor: examine(complete, harbor, SETTINGS, never, {})]


@pytest.mark.parametrize("check", ALL)
def test_a_database_that_refuses_is_a_failure_at_the_door_and_later(check):
    refused = StoreRefused("database registry_k8s at mysql:3306: Access denied for user 'harbork8s' (1045)")
    (offender,) = offenders_of(check, target(refused))
    assert offender.object == "database registry_k8s at mysql:3306 as harbork8s"
    assert "1045" in offender.observed
    (offender,) = offenders_of(check, target(refusal, variables=refusal))
    assert "1142" in offender.observed


@pytest.mark.parametrize("check", ALL)
def test_settings_that_name_no_database_are_a_failure_of_who_has_them(check):
    wrong = WrongConfiguration("without MYSQL_HOST")
    (offender,) = offenders_of(check, target(never, settings_are=wrong))
    assert offender.object == "ReplicationController of the configuration store"
    assert offender.observed == "without MYSQL_HOST"


def test_a_cluster_that_cannot_be_asked_for_the_settings_is_no_verdict():
    with (
        pytest.raises(TargetUnreachable),
        harbors_database(target(never, settings_are=TargetUnreachable("gone"))),
    ):
        pass


# database.reachable


def test_a_database_that_answers_is_well():
    examine(reachable, target(lambda query: [(1,)]))


def test_a_database_that_answers_something_else_is_named():
    (offender,) = offenders_of(reachable, target(lambda query: []))
    assert (offender.expected, offender.observed) == ("SELECT 1 → 1", "[]")


# database.schema-present


def holding(*, without_tables=(), without_rows=()):
    def answer(question, *words):
        if question == "tables":
            return PROFILE.tables - set(without_tables)
        assert words in {(row.table, row.where) for row in PROFILE.first_rows}
        return words[0] not in without_rows

    return target(answer)


def test_a_schema_that_is_whole_is_well():
    examine(schema, holding())


def test_a_table_or_a_row_that_is_missing_is_named_each():
    offenders = offenders_of(schema, holding(without_tables=("project", "access"), without_rows=("user",)))
    assert [o.expected for o in offenders] == [
        "table access",
        "table project",
        "the first administrator, user 1, in table user",
    ]
    (offender,) = offenders_of(schema, holding(without_rows=("alembic_version",)))
    assert "the version of the schema" in offender.expected


def test_in_an_empty_database_every_table_is_missed_and_no_row_is_asked_for():
    offenders = offenders_of(schema, holding(without_tables=PROFILE.tables, without_rows=PROFILE.tables))
    assert {o.observed for o in offenders} == {"there is none"}
    assert len(offenders) == len(PROFILE.tables)


# database.grants-sufficient


def lacking(*rights):
    return target(lambda question: list(rights))


def test_who_may_read_and_write_is_well():
    examine(granted, lacking())


def test_what_harbor_may_not_do_is_named():
    (offender,) = offenders_of(granted, lacking("INSERT on tag", "any write: this server is a standby"))
    assert offender.object == "database registry_k8s at mysql:3306 as harbork8s"
    assert offender.expected == "SELECT, INSERT, UPDATE, DELETE on registry_k8s"
    assert offender.observed == "without INSERT on tag, any write: this server is a standby"


# database.cluster-complete


def cluster(*, variables=GALERA, **status):
    return target(never, variables=lambda query: variables if "VARIABLES" in query else {**WELL, **status})


def test_a_cluster_that_is_whole_is_well():
    measured = {}
    examine(complete, cluster(), SETTINGS, never, measured)
    assert measured == {"database_nodes_count": 3}


@pytest.mark.parametrize(
    "name, value",
    [
        ("wsrep_cluster_size", "2"),
        ("wsrep_cluster_status", "non-Primary"),
        ("wsrep_local_state_comment", "Donor/Desynced"),
        ("wsrep_ready", "OFF"),
        ("wsrep_ready", ""),
    ],
)
def test_what_is_not_well_with_a_cluster_is_named_with_what_was_wanted(name, value):
    (offender,) = offenders_of(complete, cluster(**{name: value}), SETTINGS, never, {})
    assert offender.expected == f"{name} is {WELL[name]}"
    assert offender.observed == f"it is {value or 'not told'}"


def test_a_node_that_replicates_no_more_is_wrong_and_no_reason_to_skip():
    off = cluster(variables={**GALERA, "wsrep_on": "OFF"})
    (offender,) = offenders_of(complete, off, SETTINGS, never, {})
    assert (offender.expected, offender.observed) == ("wsrep_on is ON", "it is OFF")


def test_a_cluster_may_be_wanted_in_another_size():
    examine(complete, cluster(wsrep_cluster_size="5"), SimpleNamespace(database_nodes=5), never, {})


@pytest.mark.parametrize(
    "variables, size",
    [({}, "0"), ({"wsrep_provider": "none"}, "0"), ({**GALERA, "wsrep_on": "OFF"}, "0")],
)
def test_to_a_database_that_is_no_cluster_it_is_not_applicable(variables, size):
    with pytest.raises(NotApplicable, match="no Galera"):
        examine(complete, cluster(variables=variables, wsrep_cluster_size=size), SETTINGS, not_applicable, {})
