"""The manifests of Harbor 1.2, and what the lab fills in, agree with themselves and with the reference."""

import copy
import re
from dataclasses import replace

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lab import settings
from lab.deployment import rollout
from lab.deployment.manifests import fill, objects
from lab.deployment.manifests.objects import container_of, find, of_kind, pod_of, source_keys_of, sources_of
from lab.errors import LabError
from lab.profiles import HARBOR_1_2
from lab.stores import galera, redis_sentinel

WORKLOADS = {
    "adminserver": (3, "vmware/harbor-adminserver:v1.2.0", [80], 42),
    "ui": (3, "vmware/harbor-ui:v1.2.0", [80], 9),
    "registry": (3, "vmware/registry:2.6.2-photon", [5000, 5001], 2),
    "jobservice": (1, "vmware/harbor-jobservice:v1.2.0", [80], 8),
    "nginx": (3, "vmware/nginx-photon:1.11.13", [80], 3),
}
"""Replicas, image, ports of the Service, keys of the ConfigMap, as the reference has them."""
MOUNTS = {
    "adminserver": {"/etc/adminserver/key"},
    "ui": {"/etc/ui/app.conf", "/etc/ui/private_key.pem", "/etc/ui/key"},
    "registry": {"/etc/registry/config.yml", "/etc/registry/root.crt"},
    "jobservice": {"/etc/jobservice/app.conf", "/etc/jobservice/key"},
    "nginx": {"/etc/nginx/nginx.conf", "/etc/nginx/https.crt", "/etc/nginx/https.key"},
}
"""The files that each image reads."""
PLACEHOLDER = re.compile(r"CHANGE-ME-[A-Z0-9-]+|http://harbor\.example\.com:31777|192\.0\.2\.\d+(?::6789)?")
SETTINGS = rollout.DeploymentSettings(ceph_key="c2VjcmV0")


@pytest.fixture
def manifests():
    return objects.read(HARBOR_1_2.manifests)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "STATE", tmp_path_factory.mktemp("deployment"))
        rollout.render(HARBOR_1_2, SETTINGS)
        yield HARBOR_1_2.folder


@pytest.fixture
def rendered(folder):
    return rollout.rendered(folder)


def missing_keys(manifests):
    """What pods take from ConfigMaps that do not have it."""
    data = {each["metadata"]["name"]: each["data"].keys() for each in of_kind(manifests, "ConfigMap")}
    missing = []
    for workload in of_kind(manifests, "ReplicationController"):
        pod = workload["spec"]["template"]["spec"]
        missing += [name for _, name in sources_of(pod) if name not in data]
        missing += [
            f"{name}.{key}" for (_, name), key in source_keys_of(pod) if key not in data.get(name, ())
        ]
    return missing


def selecting_nothing(manifests):
    """Services, budgets and controllers whose selector matches no pod template."""
    workloads = of_kind(manifests, "ReplicationController")
    labels = [workload["spec"]["template"]["metadata"]["labels"].items() for workload in workloads]
    selectors = [
        (each, each["spec"]["selector"].get("matchLabels", each["spec"]["selector"]))
        for each in of_kind(manifests, "ReplicationController", "Service", "PodDisruptionBudget")
        if "selector" in each["spec"]
    ]
    return [
        f"{each['kind']} {each['metadata']['name']}"
        for each, selector in selectors
        if not any(selector.items() <= found for found in labels)
    ]


def volumes_of(manifests, claim):
    """The names of the volumes that a claim may be bound to."""
    return [
        volume["metadata"]["name"]
        for volume in of_kind(manifests, "PersistentVolume")
        if claim["spec"]["selector"]["matchLabels"].items() <= volume["metadata"]["labels"].items()
        and claim["spec"]["accessModes"] == volume["spec"]["accessModes"]
        and claim["spec"]["storageClassName"] == volume["spec"]["storageClassName"]
        and claim["spec"]["resources"]["requests"]["storage"] == volume["spec"]["capacity"]["storage"]
    ]


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_is_called_and_sized_as_in_the_reference(manifests, name):
    replicas, image, ports, keys = WORKLOADS[name]
    workload = find(manifests, "ReplicationController", f"{name}-rc")
    assert workload["spec"]["replicas"] == replicas
    assert workload["spec"]["selector"] == {"name": f"{name}-apps"}
    container = container_of(manifests, f"{name}-rc")
    assert (container["name"], container["image"]) == (f"{name}-app", image)
    service = find(manifests, "Service", name)
    assert [port["port"] for port in service["spec"]["ports"]] == ports
    assert len(find(manifests, "ConfigMap", f"harbor-{name}-config")["data"]) == keys


@pytest.mark.parametrize("name", WORKLOADS)
def test_files_are_mounted_where_the_image_reads_them(manifests, name):
    pod, container = pod_of(manifests, f"{name}-rc"), container_of(manifests, f"{name}-rc")
    assert "command" not in container, "the image's own command is what fixes the places"
    assert "args" not in container
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    files = {
        f"{places[volume['name']]}/{item['path']}"
        for volume in pod["volumes"]
        for item in volume.get("configMap", {}).get("items", [])
    }
    assert files == MOUNTS[name]


def test_everything_taken_from_a_config_map_is_in_it(manifests):
    assert missing_keys(manifests) == []


def test_a_missing_key_and_a_missing_config_map_are_noticed(manifests):
    del find(manifests, "ConfigMap", "harbor-ui-config")["data"]["_REDIS_URL"]
    manifests.remove(find(manifests, "ConfigMap", "harbor-adminserver-config"))
    assert set(missing_keys(manifests)) == {
        "harbor-ui-config._REDIS_URL",
        "harbor-adminserver-config",
        "harbor-adminserver-config.SECRET_KEY",
    }


def test_every_selector_matches_a_pod_template(manifests):
    assert selecting_nothing(manifests) == []


def test_a_selector_that_matches_nothing_is_noticed(manifests):
    find(manifests, "Service", "ui")["spec"]["selector"] = {"name": "ui"}
    find(manifests, "PodDisruptionBudget", "nginx")["spec"]["selector"]["matchLabels"]["name"] = "nginx"
    assert selecting_nothing(manifests) == ["Service ui", "PodDisruptionBudget nginx"]


@pytest.mark.parametrize("name", ["log", "registry"])
def test_claim_fits_its_volume_and_no_other(manifests, name):
    claim = find(manifests, "PersistentVolumeClaim", f"{name}-pvc")
    assert volumes_of(manifests, claim) == [f"{name}-pv"]
    volume = find(manifests, "PersistentVolume", f"{name}-pv")["spec"]
    assert volume["accessModes"] == ["ReadWriteMany"]
    assert volume["persistentVolumeReclaimPolicy"] == "Retain"
    assert (
        volume["cephfs"]["secretRef"]["name"] == find(manifests, "Secret", "ceph-secret")["metadata"]["name"]
    )
    claim["spec"]["selector"]["matchLabels"]["type"] = "nothing"
    assert volumes_of(manifests, claim) == []


def test_claims_that_pods_mount_exist(manifests):
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for workload in of_kind(manifests, "ReplicationController")
        for volume in workload["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert mounted == {each["metadata"]["name"] for each in of_kind(manifests, "PersistentVolumeClaim")}


def test_front_door_is_on_the_node_port(manifests):
    service = find(manifests, "Service", "nginx")["spec"]
    assert (service["type"], service["ports"][0]["nodePort"]) == ("NodePort", 31777)


@pytest.mark.parametrize("name", WORKLOADS)
def test_replicas_spread_and_end_in_peace(manifests, name):
    pod, container = pod_of(manifests, f"{name}-rc"), container_of(manifests, f"{name}-rc")
    assert pod["enableServiceLinks"] is False, "the link MYSQL_PORT ends adminserver"
    assert "readinessProbe" in container
    if WORKLOADS[name][0] > 1:
        (term,) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["podAffinityTerm"]["labelSelector"]["matchLabels"] == {"name": f"{name}-apps"}
        pause_s = int(re.search(r"\d+", " ".join(container["lifecycle"]["preStop"]["exec"]["command"]))[0])
        assert 5 <= pause_s < pod["terminationGracePeriodSeconds"]


def test_shared_secrets_are_equal_and_the_key_is_16_bytes(manifests, rendered):
    for found in (manifests, rendered):
        data = {name: find(found, "ConfigMap", f"harbor-{name}-config")["data"] for name in WORKLOADS}
        for key in ("UI_SECRET", "JOBSERVICE_SECRET", "SECRET_KEY"):
            assert len({data[name][key] for name in ("adminserver", "ui", "jobservice")}) == 1, key
        assert len(data["ui"]["SECRET_KEY"].encode()) == 16


def test_environment_holds_what_the_programs_ask_for(rendered):
    data = find(rendered, "ConfigMap", "harbor-adminserver-config")["data"]
    assert data["RESET"] == "true"
    assert data["MYSQL_PORT"] == "3306"
    assert data["EXT_ENDPOINT"] == HARBOR_1_2.url
    assert data["MYSQL_PWD"] == galera.PASSWORD
    assert all(isinstance(value, str) for value in data.values())
    environment = {each["name"]: each for each in container_of(rendered, "ui-rc")["env"]}
    assert environment.keys() >= {"CONFIG_PATH", "UI_SECRET", "JOBSERVICE_SECRET", "_REDIS_URL", "KEY_PATH"}
    redis = find(rendered, "ConfigMap", "harbor-ui-config")["data"]["_REDIS_URL"]
    assert redis == f"redis:6379,100,{redis_sentinel.PASSWORD},11"
    assert "," not in redis_sentinel.PASSWORD


def test_registry_configuration_is_whole(rendered):
    registry = yaml.safe_load(find(rendered, "ConfigMap", "harbor-registry-config")["data"]["config"])
    assert registry["auth"]["token"] == {
        "issuer": "harbor-token-issuer",
        "realm": f"{HARBOR_1_2.url}/service/token",
        "rootcertbundle": "/etc/registry/root.crt",
        "service": "harbor-registry",
    }
    assert registry["storage"]["filesystem"]["rootdirectory"] == "/storage"
    mounts = {each["mountPath"] for each in container_of(rendered, "registry-rc")["volumeMounts"]}
    assert "/storage" in mounts
    assert len(registry["http"]["secret"]) == 32


def test_token_key_is_pkcs1_and_its_certificate_is_of_that_key(rendered):
    pem = find(rendered, "ConfigMap", "harbor-ui-config")["data"]["pkey"]
    assert pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    certificate = find(rendered, "ConfigMap", "harbor-registry-config")["data"]["cert"]
    assert x509.load_pem_x509_certificate(certificate.encode()).public_key() == key.public_key()


def test_every_placeholder_is_filled_and_told_of(rendered):
    text = "".join(file.read_text() for file in HARBOR_1_2.manifests.glob("*.yaml"))
    placeholders = set(PLACEHOLDER.findall(text))
    values = HARBOR_1_2.placeholders(HARBOR_1_2.secrets.make())
    assert placeholders == {*values, fill.MONITOR, "CHANGE-ME-CEPH-KEY"}
    assert placeholders == set(PLACEHOLDER.findall((HARBOR_1_2.manifests / "README.md").read_text()))
    assert not PLACEHOLDER.search(yaml.safe_dump_all(rendered))
    for volume in of_kind(rendered, "PersistentVolume"):
        assert volume["spec"]["cephfs"]["monitors"] == ["198.18.255.2:6789"]


def test_a_second_rendering_is_identical_and_only_the_owner_reads_it(folder):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    rollout.render(HARBOR_1_2, SETTINGS)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_fingerprint_follows_the_config_maps_the_template_and_the_image(folder):
    def fingerprints(change=None, settings=SETTINGS):
        rollout.render(HARBOR_1_2, settings, change)
        return {
            each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"][rollout.FINGERPRINT]
            for each in of_kind(rollout.rendered(folder), "ReplicationController")
        }

    def edit(found):
        find(found, "ConfigMap", "harbor-registry-config")["data"]["config"] += "# edited\n"
        container_of(found, "nginx-rc")["image"] += "-other"

    healthy, edited = fingerprints(), fingerprints(edit)
    assert {name for name in healthy if healthy[name] != edited[name]} == {"registry-rc", "nginx-rc"}
    remade = fingerprints(settings=replace(SETTINGS, images={"vmware/harbor-ui:v1.2.0": "other"}))
    assert {name for name in healthy if healthy[name] != remade[name]} == {"ui-rc"}
    assert fingerprints() == healthy


def test_secrets_are_not_in_any_repr():
    shown = repr(SETTINGS) + repr(HARBOR_1_2.secrets.make())
    assert not re.search(r"pass|c2VjcmV0|PRIVATE|[0-9a-f]{16}", shown.replace("password", "")), shown


def test_every_file_is_listed_and_what_the_lab_cannot_read_is_refused(tmp_path):
    kustomization = yaml.safe_load((HARBOR_1_2.manifests / "kustomization.yaml").read_text())
    files = {file.name for file in HARBOR_1_2.manifests.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(copy.deepcopy(kustomization) | {"patches": []})
    )
    with pytest.raises(LabError, match="patches"):
        objects.read(tmp_path)
