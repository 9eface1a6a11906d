"""Where a registry keeps images, by its configuration, and on which claim that is."""

import pytest
from kubernetes import client

from harbor_verify.errors import RightMissing
from harbor_verify.model import configuration

VARIABLE = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": "/given"}


@pytest.mark.parametrize(
    "storage, environment, driver, root",
    [
        ("{filesystem: {rootdirectory: /storage}, delete: {enabled: true}}", {}, "filesystem", "/storage"),
        ("{cache: {}, filesystem: {rootdirectory: /storage}}", VARIABLE, "filesystem", "/given"),
        ("{filesystem: null}", {}, "filesystem", "/var/lib/registry"),
        ("filesystem", {}, "filesystem", "/var/lib/registry"),
        ("{maintenance: {}, s3: {bucket: b}}", VARIABLE, "s3", None),
        ("{inmemory: {}}", {}, "inmemory", None),
        ("{filesystem: {}}", {"REGISTRY_STORAGE": "s3", "REGISTRY_STORAGE_S3_BUCKET": "b"}, "s3", None),
    ],
)
def test_the_driver_and_its_folder_are_read(storage, environment, driver, root):
    found = configuration.registry_storage(f"version: 0.1\nstorage: {storage}\n", environment)
    assert (found.driver, found.root) == (driver, root)
    assert found.outside == (driver == "s3")


@pytest.mark.parametrize("text", ["", "a: [", "storage: {}", "storage: {delete: {}}", "storage: 7"])
def test_a_text_without_a_driver_names_no_storage(text):
    assert configuration.registry_storage(text, {}) is None


def container(*mounts):
    volume_mounts = [client.V1VolumeMount(name=name, mount_path=path) for name, path in mounts]
    return client.V1Container(name="registry-app", volume_mounts=volume_mounts)


def pod():
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name="registry-pvc")
    items = [client.V1KeyToPath(key="config", path="config.yml")]
    config = client.V1ConfigMapVolumeSource(name="cm", items=items)
    volumes = [
        client.V1Volume(name="storage", persistent_volume_claim=claim),
        client.V1Volume(name="scratch", empty_dir=client.V1EmptyDirVolumeSource()),
        client.V1Volume(name="config", config_map=config),
    ]
    return client.V1PodSpec(containers=[], volumes=volumes)


def test_a_path_lies_in_the_claim_that_is_mounted_above_it():
    mounted = container(("storage", "/storage"), ("scratch", "/storage/tmp"))
    assert configuration.claim_at("/storage", pod(), mounted) == "registry-pvc"
    assert configuration.claim_at("/storage/docker", pod(), mounted) == "registry-pvc"
    for elsewhere in ("/var/lib/registry", "/storage/tmp/x", "storage"):
        assert configuration.claim_at(elsewhere, pod(), mounted) is None


def test_the_texts_of_config_maps_and_secrets_are_found_by_their_path():
    def forbidden(name):
        raise RightMissing(f"get Secret {name}: forbidden")

    spec, data = pod(), {"cm": {"config": "version: 0.1", "cert": "x"}}
    secret = client.V1SecretVolumeSource(secret_name="s")
    spec.volumes.append(client.V1Volume(name="login", secret=secret))
    mounts = container(("config", "/etc/registry"), ("login", "/etc/login"))
    found = configuration.given_texts(spec, mounts, data.get, {"s": {"htpasswd": "a:b"}}.get)
    assert found == {"/etc/registry/config.yml": "version: 0.1", "/etc/login/htpasswd": "a:b"}
    assert configuration.given_texts(spec, mounts, data.get, forbidden) == {
        "/etc/registry/config.yml": "version: 0.1"
    }


@pytest.mark.parametrize(
    "http, environment, expected",
    [
        ("draintimeout: 60s", {}, True),
        ("draintimeout: 1m30s", {}, True),
        ("addr: :5000", {}, False),
        ("draintimeout: 0s", {}, False),
        ("draintimeout: 0", {}, False),
        ("draintimeout: 0h0m0s", {}, False),
        ("draintimeout: 10ms", {}, True),
        ("addr: :5000", {"REGISTRY_HTTP_DRAINTIMEOUT": "60s"}, True),
        ("draintimeout: 60s", {"REGISTRY_HTTP_DRAINTIMEOUT": "0s"}, False),
    ],
)
def test_whether_a_registry_finishes_what_is_in_flight_is_told_by_its_drain_timeout(
    http, environment, expected
):
    assert configuration.drains(f"version: 0.1\nhttp: {{{http}}}\n", environment) is expected


@pytest.mark.parametrize("text", ["", "[", "version: 0.1", "http: 60s"])
def test_a_registry_that_is_told_nothing_of_a_drain_has_none(text):
    assert configuration.drains(text, {}) is False
