"""Whom the suite trusts when it asks Harbor's stores: whomever Harbor itself was given, and the settings first."""

import base64
from pathlib import Path
from types import SimpleNamespace

import pytest

from harbor_verify import authorities
from harbor_verify import store_links as module
from harbor_verify.clients.harbor import Credentials
from harbor_verify.model.discovery import discover
from harbor_verify.target import Target
from tests.unit.small_cluster import NAMESPACE, small_cluster

AUTHORITY = "-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----\n"
MOUNTS = {
    "the chart's": "{name: ca, mountPath: /harbor_cust_cert/custom-ca.crt, subPath: ca.crt}",
    "a whole folder": "{name: ca, mountPath: /harbor_cust_cert}",
    "another place": "{name: ca, mountPath: /elsewhere}",
    "a longer name": "{name: ca, mountPath: /harbor_cust_cert_old}",
}
TEXT = """
kind: Deployment
metadata: {name: harbor-core}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: harbor, component: core}}
    spec:
      volumes: [{name: ca, secret: {secretName: private-authority}}]
      containers: [{name: core, envFrom: [{configMapRef: {name: settings}}], volumeMounts: [%s]}]
---
kind: Deployment
metadata: {name: harbor-registry}
spec: {replicas: 1, template: {metadata: {labels: {app: harbor, component: registry}}, spec: {containers: [{name: r}]}}}
---
kind: Secret
metadata: {name: private-authority}
data: {ca.crt: %s}
---
kind: ConfigMap
metadata: {name: settings}
data:
  POSTGRESQL_HOST: 192.0.2.1
  POSTGRESQL_PORT: "5432"
  POSTGRESQL_USERNAME: harbor
  POSTGRESQL_PASSWORD: hush
  POSTGRESQL_DATABASE: registry
  POSTGRESQL_SSLMODE: verify-full
  _REDIS_URL_CORE: rediss://:hush@192.0.2.2:6380/0
"""


@pytest.fixture
def trusted(monkeypatch):
    """Asks a Harbor with this mount for its database and its Redis; the text of the files that say whom to trust."""

    def ask(mount, **settings):
        files = []
        monkeypatch.setattr(module, "open_sql", lambda *_, ca_file, **__: files.append(ca_file))
        monkeypatch.setattr(module, "RedisStore", lambda *_, ca_file, **__: files.append(ca_file))
        text = TEXT % (mount, base64.b64encode(AUTHORITY.encode()).decode())
        given = {"database_ca_file": None, "session_store_ca_file": None, **settings}
        with small_cluster(text) as kubernetes:
            kubernetes.close = lambda: None  # its own maker closes it
            access = SimpleNamespace(
                kubernetes=kubernetes,
                namespace=NAMESPACE,
                url="http://h",
                credentials=Credentials("admin", "x"),
            )
            common = {"database_address": None, "session_store_address": None, "timeouts_s": (1, 1)}
            harbor = Target(access, discover(kubernetes, NAMESPACE), SimpleNamespace(**common, **given))
            harbor.sql()
            harbor.redis(harbor.session_store())
            texts = [file and Path(file).read_text() for file in files]
            harbor.close()
        return texts, files

    return ask


@pytest.mark.parametrize("mount", ["the chart's", "a whole folder"])
def test_an_authority_that_harbor_was_given_is_trusted_beside_the_systems(
    trusted, monkeypatch, tmp_path, mount
):
    (tmp_path / "system.crt").write_text("system")
    monkeypatch.setattr(authorities, "system_authorities", lambda: tmp_path / "system.crt")
    texts, files = trusted(MOUNTS[mount])
    assert texts == [f"system\n{AUTHORITY}"] * 2
    assert not any(Path(file).exists() for file in files)  # gone with the target


@pytest.mark.parametrize("mount", ["another place", "a longer name"])
def test_without_one_it_is_the_systems(trusted, mount):
    assert trusted(MOUNTS[mount])[0] == [None, None]


def test_a_setting_says_otherwise(trusted, tmp_path):
    file = tmp_path / "ca.crt"
    file.write_text("said")
    said = {"database_ca_file": file, "session_store_ca_file": file}
    assert trusted(MOUNTS["the chart's"], **said)[0] == ["said", "said"]
