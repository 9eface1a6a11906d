"""The checks of stored passwords, and of how many connections the database takes, on a Harbor of a few lines."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NotApplicable, UnexpectedAnswer, WrongConfiguration
from harbor_verify.model.roles import Role
from harbor_verify.profiles import harbor_1_2, harbor_2
from suites.configuration.test_stored_passwords import test_stored_passwords_can_be_read as readable
from suites.database import test_connections
from tests.unit.running import examine, never, not_applicable, offenders_of

UNREADABLE = UnexpectedAnswer("GET /api/v2.0/registries → 500 Internal Server Error", status=500)


def harbor(*webs):
    """A web replica for each: the registries that it lists, or what it says in their place."""
    replicas = [SimpleNamespace(name=f"web-{n}", object=f"pod h/web-{n}") for n, _ in enumerate(webs)]

    def web(replica):
        def registries(credentials):
            listed = webs[replicas.index(replica)]
            if isinstance(listed, Exception):
                raise listed
            return listed

        return SimpleNamespace(registries=registries)

    return SimpleNamespace(credentials=Credentials("admin", "x"), replicas={Role.WEB: replicas}.get, web=web)


def test_passwords_that_every_replica_can_read_are_well():
    examine(readable, harbor(["docker hub"], ["docker hub"]), never)


def test_what_was_encrypted_with_another_key_is_told_of_each_replica_that_cannot_read_it():
    """All replicas agree on the new key, which a chart made anew."""
    offenders = offenders_of(readable, harbor(UNREADABLE, UNREADABLE), never)
    assert [each.object for each in offenders] == ["pod h/web-0", "pod h/web-1"]
    (offender,) = offenders_of(readable, harbor([], UNREADABLE), never)
    assert "500" in offender.observed


@pytest.mark.parametrize("listed", [[], None])
def test_where_no_registry_is_known_nothing_is_stored(listed):
    with pytest.raises(NotApplicable, match="no other registry"):
        examine(readable, harbor(listed, listed), not_applicable)


@pytest.mark.parametrize("status, listed", [(200, ["docker hub"]), (200, []), (403, None), (404, None)])
def test_the_list_of_registries_is_read(status, listed):
    answer = SimpleNamespace(status_code=status, json=lambda: [{"name": name} for name in listed or ()])
    http = SimpleNamespace(get=lambda path, **_: answer)
    assert harbor_2.PROFILE.api(http).registries(Credentials("admin", "x")) == listed


def connecting(monkeypatch, *limits, most=100, profile=harbor_2.PROFILE):
    @contextmanager
    def database(target):
        yield SimpleNamespace(most_connections=lambda: most, by_pooler=lambda: False)

    monkeypatch.setattr(test_connections, "harbors_database", database)
    settings = [{"POSTGRESQL_MAX_OPEN_CONNS": limit} if limit else {} for limit in limits]
    return SimpleNamespace(
        profile=profile,
        replicas=lambda role: settings,
        workload=lambda role: SimpleNamespace(object="Deployment h/web"),
        deployment=SimpleNamespace(environment=lambda replica: replica),
    )


CHECK = test_connections.test_the_database_takes_as_many_connections_as_harbor_may_open


def test_replicas_that_may_open_as_many_as_the_database_takes_are_well(monkeypatch):
    measured = {}
    examine(CHECK, connecting(monkeypatch, "30", "30", "40"), never, measured)
    assert measured == {"connections_wanted_count": 100, "connections_taken_count": 100}


def test_the_charts_default_is_more_than_a_database_takes_by_default(monkeypatch):
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "900", "900", "900", most=97), never, {})
    assert (offender.object, offender.observed) == ("Deployment h/web", "they may open 2700")


@pytest.mark.parametrize(
    "limits, given",
    [
        ((None, "30"), {}),
        (("0", "0"), {}),
        (("30",), {"most": None}),
        (("30",), {"profile": harbor_1_2.PROFILE}),
    ],
)
def test_what_nobody_says_is_not_judged(monkeypatch, limits, given):
    with pytest.raises(NotApplicable):
        examine(CHECK, connecting(monkeypatch, *limits, **given), not_applicable, {})


def test_a_limit_that_is_no_number_cannot_be_right():
    with pytest.raises(WrongConfiguration):
        harbor_2.PROFILE.most_connections({"POSTGRESQL_MAX_OPEN_CONNS": "many"})
