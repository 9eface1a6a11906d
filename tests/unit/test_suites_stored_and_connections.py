"""The checks of stored passwords, and of how many connections the database takes, on a Harbor of a few lines."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.clients.harbor import Credentials, Session
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
        def registries(session):
            assert session.cookie == "of-the-front-door"
            listed = webs[replicas.index(replica)]
            if isinstance(listed, Exception):
                raise listed
            return listed

        return SimpleNamespace(registries=registries)

    return SimpleNamespace(
        credentials=Credentials("admin", "x"),
        user=Credentials("admin", "x"),
        client=Credentials("admin", "x"),
        administrator=lambda replica: Session("admin", "of-the-front-door"),
        replicas={Role.WEB: replicas}.get,
        web=web,
    )


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


def connecting(
    monkeypatch, *limits, most=100, profile=harbor_2.PROFILE, jobs=0, others=(), pooler=None, by_pooler=False
):
    """Web replicas, one for each of the limits; `others`: (name, replicas, limit); `pooler`: one's configuration."""

    @contextmanager
    def database(target):
        yield SimpleNamespace(most_connections=lambda: most, by_pooler=lambda: by_pooler)

    monkeypatch.setattr(test_connections, "harbors_database", database)
    settings = [{"POSTGRESQL_MAX_OPEN_CONNS": limit} if limit else {} for limit in limits]
    works = {
        Role.WEB: SimpleNamespace(object="Deployment h/web", name="web", desired=len(limits)),
        **({Role.JOB: SimpleNamespace(object="Deployment h/job", name="job", desired=jobs)} if jobs else {}),
    }
    owners = (SimpleNamespace(namespace="h"),) if pooler is not None else ()
    return SimpleNamespace(
        profile=profile,
        namespace="h",
        replicas=lambda role: settings,
        workload=works.get,
        database=lambda: SimpleNamespace(host="db"),
        backing=lambda host: SimpleNamespace(owners=owners, pods=("p-0", "p-1") if owners else ()),
        deployment=SimpleNamespace(
            pod=pod_of,
            environment=lambda replica: replica,
            workloads=works,
            others=lambda: [controller(*each) for each in others],
            config_map={"pooler": {"pgbouncer.ini": pooler}}.get,
            secret=lambda name: None,
        ),
    )


def controller(name, replicas, limit):
    variable = client.V1EnvVar(name="HARBOR_DATABASE_MAX_OPEN_CONNS", value=limit)
    pod = client.V1PodSpec(containers=[client.V1Container(name=name, env=[variable])])
    spec = SimpleNamespace(replicas=replicas, template=SimpleNamespace(spec=pod))
    return SimpleNamespace(metadata=SimpleNamespace(name=name), spec=spec)


def pod_of(name):
    mount = client.V1VolumeMount(name="c", mount_path="/etc/pgbouncer")
    volume = client.V1Volume(name="c", config_map=client.V1ConfigMapVolumeSource(name="pooler"))
    spec = client.V1PodSpec(
        containers=[client.V1Container(name=name, volume_mounts=[mount])], volumes=[volume]
    )
    return client.V1Pod(metadata=client.V1ObjectMeta(name=name, namespace="h"), spec=spec)


CHECK = test_connections.test_the_database_takes_as_many_connections_as_harbor_may_open


def test_pods_that_may_open_as_many_as_the_database_takes_are_well(monkeypatch):
    measured = {}
    examine(CHECK, connecting(monkeypatch, "25", "25", "25"), never, measured)
    assert measured == {"connections_wanted_count": 100, "connections_taken_count": 100}


def test_the_charts_default_is_more_than_a_database_takes_by_default(monkeypatch):
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "900", "900", "900", most=97), never, {})
    assert offender.object == "Deployment h/web"
    assert offender.observed.startswith("they may open 3600: 4 of web 900 each")


def test_a_rollout_jobs_and_what_measures_are_counted(monkeypatch):
    """Without the one more of a rollout, and those that nobody thinks of, it would be enough."""
    given = {"jobs": 2, "others": [("exporter", 1, "10")], "most": 60}
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "20", "20", "20", **given), never, {})
    assert "160: 4 of web 20 each, 3 of job 20 each, 2 of exporter 10 each" in offender.observed
    examine(CHECK, connecting(monkeypatch, "20", "20", "20", **{**given, "most": 160}), never, {})


@pytest.mark.parametrize(
    "settings, taken",
    [
        ("pool_mode = session\ndefault_pool_size = 60\nmax_client_conn = 1000", 120),
        ("pool_mode = session\ndefault_pool_size = 80\nmax_client_conn = 1000", 130),
        ("pool_mode = transaction\ndefault_pool_size = 5\nmax_client_conn = 70", 140),
        ("", 40),
    ],
)
def test_a_pooler_in_the_cluster_takes_what_its_configuration_says(monkeypatch, settings, taken):
    pooler = f"[databases]\n* = host=db port=5432\n[pgbouncer]\n{settings}\n"
    measured = {}
    given = {"pooler": pooler, "by_pooler": True, "most": 130}
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "100", **given), never, measured)
    assert measured["connections_taken_count"] == taken
    assert "poolers" in offender.expected
    examine(CHECK, connecting(monkeypatch, str(taken // 2), **given), never, {})


def test_a_pooler_without_a_configuration_that_is_known_is_not_judged(monkeypatch):
    with pytest.raises(NotApplicable, match="NOT verified"):
        examine(CHECK, connecting(monkeypatch, "30", by_pooler=True), not_applicable, {})


@pytest.mark.parametrize(
    "limits, given",
    [
        ((None, "30"), {}),
        (("30",), {"most": None}),
        (("30",), {"profile": harbor_1_2.PROFILE}),
    ],
)
def test_what_nobody_says_is_not_judged(monkeypatch, limits, given):
    with pytest.raises(NotApplicable):
        examine(CHECK, connecting(monkeypatch, *limits, **given), not_applicable, {})


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_whoever_is_told_of_no_limit_may_open_more_than_any_database_takes(monkeypatch, limit):
    """To take a limit away is no way to make a check green that says it is too high."""
    measured = {}
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "5", limit), never, measured)
    assert offender.observed == "web may open any number: they are told of no limit (0 or less)"
    assert measured == {"connections_taken_count": 100}
    given = {"others": [("exporter", 1, limit)]}
    (offender,) = offenders_of(CHECK, connecting(monkeypatch, "5", **given), never, {})
    assert offender.observed.startswith("exporter may open any number")


def test_a_limit_that_is_no_number_cannot_be_right():
    with pytest.raises(WrongConfiguration):
        harbor_2.PROFILE.most_connections({"POSTGRESQL_MAX_OPEN_CONNS": "many"})
