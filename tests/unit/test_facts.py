"""What a deployment is, from its objects, and what a setting says otherwise."""

from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.errors import (
    CannotTell,
    NeedMissing,
    SettingsError,
    TargetUnreachable,
    UnexpectedAnswer,
    WrongConfiguration,
)
from harbor_verify.facts import Exposure, ImageStore, StorePlace, gathering, overridden
from harbor_verify.model.backing import Backing, Owner
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.stores import Database, SessionStore

FILE_SYSTEM = "version: 0.1\nstorage: {filesystem: {rootdirectory: /storage}}\n"
S3 = "version: 0.1\nstorage: {s3: {bucket: b}, redirect: {disable: %s}}\n"


def service(name, **selector):
    return client.V1Service(
        metadata=client.V1ObjectMeta(name=name), spec=client.V1ServiceSpec(selector=selector or None)
    )


def ingress(backend, host="h.example"):
    to = client.V1IngressServiceBackend(name=backend)
    path = client.V1HTTPIngressPath(backend=client.V1IngressBackend(service=to), path_type="Prefix")
    http = client.V1HTTPIngressRuleValue(paths=[path])
    spec = client.V1IngressSpec(rules=[client.V1IngressRule(host=host, http=http)])
    return client.V1Ingress(metadata=client.V1ObjectMeta(name="door"), spec=spec)


BY_DEFAULT = client.V1Ingress(
    metadata=client.V1ObjectMeta(name="door"),
    spec=client.V1IngressSpec(
        default_backend=client.V1IngressBackend(service=client.V1IngressServiceBackend(name="web"))
    ),
)
"""One without rules."""


def registry(config, volume=None):
    """A registry pod that reads this text, and mounts a volume at /storage."""
    mounts = [client.V1VolumeMount(name="config", mount_path="/etc/registry")]
    volumes = [client.V1Volume(name="config", config_map=client.V1ConfigMapVolumeSource(name="registry"))]
    if volume:
        mounts.append(client.V1VolumeMount(name="data", mount_path="/storage"))
        volumes.append(client.V1Volume(name="data", **volume))
    container = client.V1Container(
        name="registry", volume_mounts=mounts, args=["serve", "/etc/registry/config.yml"]
    )
    spec = client.V1PodSpec(containers=[container], volumes=volumes)
    return SimpleNamespace(object="pod h/r", pod=SimpleNamespace(spec=spec), container=container), config


def target(monkeypatch, **given):
    """A Harbor of a few lines: `given` is what is special about it."""
    roles = given.get("roles", (Role.WEB, Role.REGISTRY))
    replica, config = given.get("registry", registry(FILE_SYSTEM))
    lists = {
        "Services": given.get("services", [service("web", app="web")]),
        "Ingresses": given.get("ingresses", []),
    }
    services = lists["Services"]

    def ask(what, call, *_):
        kind = next(kind for kind in lists if kind in what)
        if isinstance(lists[kind], Exception):
            raise lists[kind]
        return SimpleNamespace(items=lists[kind])

    def told(value):
        def tell(*_):
            if isinstance(value, Exception):
                raise value
            return value

        return tell

    monkeypatch.setattr(gathering.ways_in, "routes_to", lambda *_: given.get("routes", []))
    workloads = {
        role: SimpleNamespace(object=f"Deployment h/{role}", desired=2, tls=given.get("tls", False))
        for role in roles
    }
    return SimpleNamespace(
        credentials=None,
        namespace="h",
        kubernetes=SimpleNamespace(
            ask=ask,
            core=SimpleNamespace(api_client=None),
        ),
        profile=SimpleNamespace(features=frozenset({Feature.INTERNAL_TLS, Feature.ROBOTS})),
        front_door=SimpleNamespace(
            version=told(given.get("version", "v9")), authentication_mode=told(given.get("mode", "db_auth"))
        ),
        workload=workloads.get,
        services_for_clients=lambda: {each.metadata.name for each in services},
        backing=told(given.get("backing", Backing("db.example", addresses=("db.example",)))),
        database=told(
            given.get("database", Database("postgresql", "db.example", 5432, "u", "hush", "registry"))
        ),
        session_store=told(given.get("store", SessionStore("redis", 6379, "hush", 0))),
        deployment=SimpleNamespace(
            workloads=workloads,
            workload=workloads.__getitem__,
            replicas=lambda role: [replica],
            config_map=lambda name: {"config.yml": config},
            secret=lambda name: None,
            environment=lambda replica: {},
        ),
    )


@pytest.mark.parametrize(
    "given, value, source",
    [
        ({"roles": (Role.WEB, Role.FRONT_DOOR)}, Exposure.OWN_PROXY, "Deployment h/front door"),
        ({"ingresses": [ingress("other"), ingress("web")]}, Exposure.INGRESS, "Ingress h/door"),
        ({"ingresses": [BY_DEFAULT]}, Exposure.INGRESS, "Ingress h/door"),
        (
            {
                "routes": [
                    {"metadata": {"name": "r"}, "spec": {"rules": [{"backendRefs": [{"name": "web"}]}]}}
                ]
            },
            Exposure.ROUTE,
            "HTTPRoute h/r",
        ),
        ({"ingresses": [ingress("other")]}, Exposure.UNKNOWN, "no Ingress and no HTTPRoute in h"),
        ({"ingresses": TargetUnreachable("list Ingresses: 403")}, Exposure.UNKNOWN, "list Ingresses: 403"),
    ],
)
def test_how_it_is_exposed(monkeypatch, given, value, source):
    fact = gathering.facts_of(target(monkeypatch, **given)).exposure
    assert fact.value is value
    assert source in fact.source


@pytest.mark.parametrize(
    "given, value, detail",
    [
        (
            registry(
                FILE_SYSTEM,
                {"persistent_volume_claim": client.V1PersistentVolumeClaimVolumeSource(claim_name="c")},
            ),
            ImageStore.CLAIMS,
            "/storage in PersistentVolumeClaim c",
        ),
        (
            registry(FILE_SYSTEM, {"nfs": client.V1NFSVolumeSource(path="/", server="s")}),
            ImageStore.INLINE_VOLUME,
            "/storage in volume data",
        ),
        (
            registry(FILE_SYSTEM, {"empty_dir": client.V1EmptyDirVolumeSource()}),
            ImageStore.CONTAINER,
            "goes with the pod",
        ),
        (registry(FILE_SYSTEM), ImageStore.CONTAINER, "goes with the pod"),
        (
            registry(S3 % "false"),
            ImageStore.OBJECT_STORE,
            "driver s3, bucket b, clients are redirected to it",
        ),
        (registry(S3 % "true"), ImageStore.OBJECT_STORE, "driver s3, bucket b, without redirect"),
        (registry("version: 0.1\nstorage: {}\n"), ImageStore.UNKNOWN, ""),
    ],
)
def test_where_images_are(monkeypatch, given, value, detail):
    fact = gathering.facts_of(target(monkeypatch, registry=given)).images
    assert fact.value is value
    assert detail in fact.detail


IN_THE_CLUSTER = Backing(
    "harbor-database",
    way=("Service h/pg", "Service h/harbor-database"),
    owners=(Owner("StatefulSet", "h", "harbor-database", 1),),
    pods=("harbor-database-0",),
)


def test_a_store_of_pods_is_told_with_who_asks_for_them_and_how_one_comes_there(monkeypatch):
    database = Database("postgresql", "pg", 5432, "u", "hush", "registry", tls="verify-full")
    facts = gathering.facts_of(target(monkeypatch, database=database, backing=IN_THE_CLUSTER))
    assert facts.database.value is StorePlace.IN_CLUSTER
    told = "PostgreSQL at pg:5432, StatefulSet harbor-database with 1 pod, TLS verify-full"
    assert str(facts.database) == f"in cluster, {told} (Service h/pg → Service h/harbor-database)"
    assert "hush" not in " ".join(facts.lines())


@pytest.mark.parametrize(
    "backing, value, told",
    [
        (
            Backing("db.example", addresses=("db.example",)),
            StorePlace.OUTSIDE,
            "outside, PostgreSQL at db.example:5432 (Harbor's settings)",
        ),
        (
            Backing("pg", way=("Service h/pg",), addresses=("192.0.2.1", "192.0.2.2")),
            StorePlace.OUTSIDE,
            "outside, PostgreSQL at db.example:5432, which is 192.0.2.1, 192.0.2.2 (Service h/pg)",
        ),
        (
            Backing("pg", way=("Service h/pg",), addresses=("h.rds.amazonaws.com",)),
            StorePlace.MANAGED,
            "which is h.rds.amazonaws.com (its name, h.rds.amazonaws.com (Amazon RDS))",
        ),
        (
            NeedMissing("needs permission to get Services in namespace stores"),
            StorePlace.UNKNOWN,
            "get Services in namespace stores",
        ),
        (CannotTell("Service h/pg leads to no pod"), StorePlace.UNKNOWN, "leads to no pod"),
    ],
)
def test_any_other_store_is_told_with_its_end_or_with_why_that_is_unknown(monkeypatch, backing, value, told):
    fact = gathering.facts_of(target(monkeypatch, backing=backing)).database
    assert fact.value is value
    assert told in str(fact)


def test_sentinels_and_tls_of_the_session_store_are_told(monkeypatch):
    store = SessionStore(
        "s.example", 26379, "hush", 0, tls=True, primary="mymaster", sentinels=("s.example:26379",)
    )
    facts = gathering.facts_of(target(monkeypatch, store=store))
    assert facts.session_store.detail == "Redis at s.example:26379, primary mymaster of Sentinels, TLS"
    assert gathering.facts_of(target(monkeypatch, store=None)).session_store.value is StorePlace.NONE


def test_what_cannot_be_found_out_is_unknown_and_says_why(monkeypatch):
    refused = UnexpectedAnswer("GET → 500", status=500)
    given = {"version": refused, "mode": refused, "database": WrongConfiguration("no host"), "store": refused}
    facts = gathering.facts_of(target(monkeypatch, **given))
    assert (facts.version.value, facts.auth_mode.value) == ("not told", "not told")
    assert "no host" in str(facts.database)
    assert "500" in str(facts.session_store)


def test_what_is_not_used_is_not_there(monkeypatch):
    assert Feature.INTERNAL_TLS not in gathering.facts_of(target(monkeypatch)).present
    assert Feature.INTERNAL_TLS in gathering.facts_of(target(monkeypatch, tls=True)).present
    assert Role.FRONT_DOOR not in gathering.facts_of(target(monkeypatch)).present


@pytest.mark.parametrize(
    "given, there",
    [
        (S3 % "false", {Feature.OBJECT_STORE}),
        (FILE_SYSTEM, set()),
        ("{}", {Feature.OBJECT_STORE, Feature.IMAGES_ON_VOLUMES}),
    ],
)
def test_what_is_about_images_is_there_where_they_are(monkeypatch, given, there):
    here = target(monkeypatch, registry=registry(given))
    here.profile.features |= {Feature.OBJECT_STORE, Feature.IMAGES_ON_VOLUMES}
    facts = gathering.facts_of(here)
    about = {Feature.OBJECT_STORE, Feature.IMAGES_ON_VOLUMES}
    assert facts.present & about == there
    assert overridden(facts, "images=claims").present & about == {Feature.IMAGES_ON_VOLUMES}


def test_tls_at_the_front_door_is_none_between_components(monkeypatch):
    here = target(monkeypatch, roles=(Role.WEB, Role.REGISTRY, Role.FRONT_DOOR))
    here.deployment.workloads[Role.FRONT_DOOR].tls = True
    facts = gathering.facts_of(here)
    assert facts.internal_tls.value is False
    assert Feature.INTERNAL_TLS not in facts.present


def test_a_setting_says_otherwise_and_where_it_comes_from(monkeypatch):
    facts = overridden(gathering.facts_of(target(monkeypatch)), "exposure=ingress, auth-mode=oidc_auth")
    assert overridden(facts, "database=managed service").database.value is StorePlace.MANAGED
    assert str(facts.exposure) == "ingress (said by --facts)"
    assert facts.auth_mode.value == "oidc_auth"
    assert overridden(facts, "") == facts


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("exposur=ingress", "did you mean exposure"),
        ("exposure=balcony", "one of own proxy, ingress"),
        ("internal_tls=yes", "true or false"),
    ],
)
def test_a_fact_that_there_is_none_of_is_refused(monkeypatch, text, complaint):
    with pytest.raises(SettingsError, match=complaint):
        overridden(gathering.facts_of(target(monkeypatch)), text)
