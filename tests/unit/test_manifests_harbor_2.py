"""The manifests of Harbor 2.x, and what the lab fills in, agree with themselves and with what its replicas need."""

import base64
import re
from dataclasses import replace

import bcrypt
import pytest
import yaml

from lab import settings
from lab.deployment import rollout
from lab.deployment.manifests import fill, objects
from lab.deployment.manifests.objects import (
    container_of,
    find,
    of_kind,
    pod_of,
    source_keys_of,
    sources_of,
    workload,
)
from lab.profiles import HARBOR_2
from lab.stores import ceph, postgresql, redis_sentinel

REPLICAS = {"core": 3, "portal": 2, "registry": 3, "jobservice": 2, "nginx": 3}
PLACEHOLDER = re.compile(r"CHANGE-ME-[A-Z0-9-]+|http://harbor\.example\.com:31778|192\.0\.2\.\d+(?::6789)?")
SETTINGS = rollout.DeploymentSettings(ceph_key="c2VjcmV0")
FILES = {
    "core": {"/etc/core/app.conf", "/etc/core/key", "/etc/core/private_key.pem"},
    "portal": {"/etc/nginx/nginx.conf"},
    "registry": {"/etc/registry/config.yml", "/etc/registry/passwd"},
    "registryctl": {"/etc/registry/config.yml", "/etc/registryctl/config.yml"},
    "jobservice": {"/etc/jobservice/config.yml"},
    "nginx": {"/etc/nginx/nginx.conf"},
}
"""The files that each container reads."""


@pytest.fixture
def manifests():
    return objects.read(HARBOR_2.manifests)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "STATE", tmp_path_factory.mktemp("deployment"))
        rollout.render(HARBOR_2, SETTINGS)
        return rollout.rendered(HARBOR_2.folder)


def test_another_redis_has_jobservice_started_anew_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)

    def fingerprints(redis):
        rollout.render(HARBOR_2, replace(SETTINGS, session_store=redis))
        return {
            each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"][rollout.FINGERPRINT]
            for each in of_kind(rollout.rendered(HARBOR_2.folder), "Deployment")
        }

    first, second = fingerprints("1"), fingerprints("2")
    assert {name for name in first if first[name] != second[name]} == {"harbor-jobservice"}


def keys_of(manifests):
    found = of_kind(manifests, "ConfigMap", "Secret")
    return {
        (each["kind"], each["metadata"]["name"]): {**each.get("data", {}), **each.get("stringData", {})}
        for each in found
    }


def secret(rendered, name, key):
    return base64.b64decode(find(rendered, "Secret", name)["data"][key]).decode()


@pytest.mark.parametrize("component", REPLICAS)
def test_workload_is_labelled_sized_and_replaced_without_a_gap(manifests, component):
    found = workload(manifests, f"harbor-{component}")
    assert found["spec"]["replicas"] == REPLICAS[component]
    assert found["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    selector = {"app": "harbor", "release": "harbor", "component": component}
    assert found["spec"]["selector"]["matchLabels"] == selector
    assert selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()
    pod = pod_of(manifests, f"harbor-{component}")
    assert pod["enableServiceLinks"] is False
    (spread,) = pod["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == selector
    assert spread["matchLabelKeys"] == ["pod-template-hash"], "or each rollout gathers its pods"
    budget = find(manifests, "PodDisruptionBudget", f"harbor-{component}")
    assert budget["spec"]["selector"]["matchLabels"] == selector
    for container in pod["containers"]:
        assert {"readinessProbe", "livenessProbe"} <= container.keys()
        pause_s = int(re.search(r"\d+", " ".join(container["lifecycle"]["preStop"]["exec"]["command"]))[0])
        assert 5 <= pause_s < pod["terminationGracePeriodSeconds"]


def test_everything_taken_from_a_config_map_or_secret_is_in_it(manifests):
    given = keys_of(manifests)
    for each in of_kind(manifests, "Deployment"):
        pod = each["spec"]["template"]["spec"]
        assert sources_of(pod) <= given.keys()
        assert [key for source, key in source_keys_of(pod) if key not in given[source]] == []


@pytest.mark.parametrize("name", FILES)
def test_files_are_mounted_where_the_image_reads_them(manifests, name):
    owner = "registry" if name == "registryctl" else name
    pod = pod_of(manifests, f"harbor-{owner}")
    container = container_of(manifests, f"harbor-{owner}", name)
    assert not {"command", "args"} & container.keys()
    given = keys_of(manifests)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    files = set()
    for mount in (each for each in container["volumeMounts"] if "subPath" in each):
        volume = volumes[mount["name"]]
        kind, name = (
            ("ConfigMap", volume["configMap"]["name"])
            if "configMap" in volume
            else ("Secret", volume["secret"]["secretName"])
        )
        items = (volume.get("configMap") or volume["secret"]).get("items")
        there = {item["path"] for item in items} if items else given[kind, name].keys()
        assert mount["subPath"] in there
        files.add(mount["mountPath"])
    assert files == FILES[container["name"]]


def test_services_lead_to_the_ports_that_containers_listen_on(manifests):
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in of_kind(manifests, "Deployment")
    }
    for service in of_kind(manifests, "Service"):
        selector = service["spec"]["selector"]
        (name,) = [name for name, found in labels.items() if selector.items() <= found.items()]
        open_ports = {
            port["containerPort"] for each in pod_of(manifests, name)["containers"] for port in each["ports"]
        }
        assert {port.get("targetPort", port["port"]) for port in service["spec"]["ports"]} <= open_ports
    assert find(manifests, "Service", "harbor")["spec"]["ports"][0]["nodePort"] == HARBOR_2.node_port


@pytest.mark.parametrize("component", ["registry", "jobservice"])
def test_claim_fits_one_volume_of_all_that_the_lab_may_have(manifests, component):
    claim = find(manifests, "PersistentVolumeClaim", f"harbor-{component}")["spec"]
    every = of_kind(
        [*manifests, *objects.read(settings.REPOSITORY / "deploy" / "harbor-1.2")], "PersistentVolume"
    )
    wanted = claim["selector"]["matchLabels"].items()
    (volume,) = [each for each in every if wanted <= each["metadata"]["labels"].items()]
    assert volume["metadata"]["name"] == f"harbor-2-{component}-pv"
    assert volume["spec"]["accessModes"] == claim["accessModes"] == ["ReadWriteMany"]
    assert volume["spec"]["capacity"]["storage"] == claim["resources"]["requests"]["storage"]
    assert ceph.VOLUMES[volume["spec"]["cephfs"]["path"].lstrip("/")] == "10000:10000"
    assert pod_of(manifests, f"harbor-{component}")["securityContext"]["runAsUser"] == 10000
    assert volume["spec"]["cephfs"]["secretRef"]["name"] == "harbor-ceph"


def test_secrets_have_the_lengths_that_harbor_wants_and_fit_each_other(rendered):
    assert len(secret(rendered, "harbor-core", "secretKey")) == 16
    assert len(secret(rendered, "harbor-core", "CSRF_KEY")) == 32
    assert secret(rendered, "harbor-core", "tls.key").startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    password = secret(rendered, "harbor-core", "REGISTRY_CREDENTIAL_PASSWORD")
    assert password == secret(rendered, "harbor-jobservice", "REGISTRY_CREDENTIAL_PASSWORD")
    user, _, digest = secret(rendered, "harbor-registry-htpasswd", "REGISTRY_HTPASSWD").partition(":")
    assert user == find(rendered, "ConfigMap", "harbor-core")["data"]["REGISTRY_CREDENTIAL_USERNAME"]
    assert bcrypt.checkpw(password.encode(), digest.encode())
    assert not re.search(r"PRIVATE|[0-9a-f]{16}", repr(HARBOR_2.secrets.make()))


def test_addresses_are_those_of_the_lab(rendered):
    data = find(rendered, "ConfigMap", "harbor-core")["data"]
    sentinels = ",".join(f"{address}:26379" for address in settings.REDIS.values())
    redis = f"redis+sentinel://:{redis_sentinel.PASSWORD}@{sentinels}/{redis_sentinel.MASTER_NAME}"
    assert data["_REDIS_URL_CORE"] == f"{redis}/0?idle_timeout_seconds=30"
    job = yaml.safe_load(find(rendered, "ConfigMap", "harbor-jobservice")["data"]["config.yml"])
    assert job["worker_pool"]["redis_pool"]["redis_url"] == f"{redis}/1"
    registry = yaml.safe_load(find(rendered, "ConfigMap", "harbor-registry")["data"]["config.yml"])
    assert registry["redis"]["addr"] == f"{settings.LOAD_BALANCER}:{redis_sentinel.PORT}"
    assert data["EXT_ENDPOINT"] == HARBOR_2.url
    assert (data["POSTGRESQL_HOST"], data["POSTGRESQL_PORT"]) == (
        settings.LOAD_BALANCER,
        str(postgresql.PORT),
    )
    assert (data["POSTGRESQL_USERNAME"], data["POSTGRESQL_DATABASE"]) == (
        postgresql.USER,
        postgresql.DATABASE,
    )
    assert secret(rendered, "harbor-core", "POSTGRESQL_PASSWORD") == postgresql.PASSWORD


def test_every_placeholder_is_filled_and_told_of(rendered):
    placeholders = set(PLACEHOLDER.findall("".join(f.read_text() for f in HARBOR_2.manifests.glob("*.yaml"))))
    values = HARBOR_2.placeholders(HARBOR_2.secrets.make())
    assert placeholders == {*values, fill.MONITOR, "CHANGE-ME-CEPH-KEY"}
    assert placeholders == set(PLACEHOLDER.findall((HARBOR_2.manifests / "README.md").read_text()))
    texts = [yaml.safe_dump_all(rendered)]
    texts += [
        base64.b64decode(text).decode()
        for each in of_kind(rendered, "Secret")
        for text in each["data"].values()
    ]
    assert not PLACEHOLDER.search("\n".join(texts))


def test_every_file_is_listed():
    kustomization = yaml.safe_load((HARBOR_2.manifests / "kustomization.yaml").read_text())
    files = {file.name for file in HARBOR_2.manifests.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
