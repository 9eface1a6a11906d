"""A Harbor as its chart lays it out by default, as a whole: one database pod, one Redis pod."""

from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.facts import Facts, StorePlace, gathering
from harbor_verify.model.discovery import discover
from harbor_verify.target import Target
from harbor_verify.verdict import Failure
from suites.database.test_servers import test_the_database_stands_on_more_than_one_server as database_servers
from suites.sessions.test_servers import test_sessions_are_kept_on_more_than_one_server as session_servers
from tests.unit.running import examine, never
from tests.unit.small_cluster import NAMESPACE, small_cluster

PART = """
kind: Deployment
metadata: {{name: harbor-{name}}}
spec:
  replicas: 3
  template:
    metadata: {{labels: {{app: harbor, component: {name}}}}}
    spec: {{containers: [{{name: {name}, envFrom: [{{configMapRef: {{name: settings}}}}]}}]}}
---
"""
STORE = """
kind: Service
metadata: {{name: harbor-{name}}}
spec: {{selector: {{component: {name}}}}}
---
kind: StatefulSet
metadata: {{name: harbor-{name}}}
spec: {{replicas: 1, template: {{metadata: {{labels: {{app: harbor, component: {name}}}}}}}}}
---
"""
SETTINGS = """
kind: ConfigMap
metadata: {name: settings}
data:
  POSTGRESQL_HOST: harbor-database
  POSTGRESQL_PORT: "5432"
  POSTGRESQL_USERNAME: postgres
  POSTGRESQL_PASSWORD: hush
  POSTGRESQL_DATABASE: registry
  _REDIS_URL_CORE: redis://harbor-redis:6379/0
"""
TEXT = "".join(
    [PART.format(name=each) for each in ("core", "registry")]
    + [STORE.format(name=each) for each in ("database", "redis")]
    + [SETTINGS]
)


@pytest.fixture
def harbor():
    with small_cluster(TEXT) as kubernetes:
        access = SimpleNamespace(
            kubernetes=kubernetes, namespace=NAMESPACE, url="http://h", credentials=Credentials("admin", "x")
        )
        yield Target(access, discover(kubernetes, NAMESPACE), SimpleNamespace())


def facts_of(harbor, monkeypatch) -> Facts:
    answers = SimpleNamespace(version=lambda login: "v2", authentication_mode=lambda: "db_auth")
    monkeypatch.setitem(vars(harbor), "front_door", answers)
    return gathering.facts_of(harbor)


def test_the_facts_name_what_database_and_sessions_stand_on(harbor, monkeypatch):
    facts = facts_of(harbor, monkeypatch)
    assert facts.database.value is facts.session_store.value is StorePlace.IN_CLUSTER
    database, sessions = (line for line in facts.lines() if line.startswith(("database", "session")))
    assert database == (
        "database: in cluster, PostgreSQL at harbor-database:5432, StatefulSet harbor-database with 1 pod "
        "(Service harbor/harbor-database)"
    )
    assert sessions == (
        "session store: in cluster, Redis at harbor-redis:6379, StatefulSet harbor-redis with 1 pod "
        "(Service harbor/harbor-redis)"
    )


@pytest.mark.parametrize(
    "check, object",
    [
        (database_servers, "StatefulSet harbor/harbor-database"),
        (session_servers, "StatefulSet harbor/harbor-redis"),
    ],
)
def test_neither_store_has_to_be_reached_to_be_red(harbor, monkeypatch, check, object):
    more = {"facts": facts_of(harbor, monkeypatch)} | ({"settings": None} if check is session_servers else {})
    with pytest.raises(Failure) as failure:
        examine(check, harbor, need=never, not_applicable=never, **more)
    assert [each.object for each in failure.value.offenders] == [object]
