"""The lab's layout tls: nothing of Harbor's is told to speak without TLS, but what cannot."""

import re

import pytest

from lab import settings
from lab.deployment.manifests.objects import container_of, find, of_kind, pod_of, read
from lab.layouts.harbor_2.tls import LAYOUT
from lab.profiles import HARBOR_2

_PLAIN = re.compile(r"\b(?:http|redis)://[^\s\"']+")


@pytest.fixture
def objects(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    objects = read(HARBOR_2.manifests, namespace=HARBOR_2.namespace)
    LAYOUT.change(objects)
    return objects


def test_every_url_has_tls_but_that_of_the_registrys_cache(objects):
    texts = [text for each in of_kind(objects, "ConfigMap") for text in each.get("data", {}).values()]
    plain = {url for text in texts for url in _PLAIN.findall(text)}
    assert {url.partition("@")[2] for url in plain} == {"192.0.2.30:6379/2?idle_timeout_seconds=30"}
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    assert core["EXT_ENDPOINT"] == LAYOUT.url
    assert core["POSTGRESQL_SSLMODE"] == "verify-full"
    assert core["_REDIS_URL_CORE"].startswith("rediss+sentinel://harbor:")


def test_who_comes_to_the_front_door_without_tls_is_led_to_it(objects):
    text = find(objects, "ConfigMap", "harbor-nginx")["data"]["nginx.conf"]
    plain = text.partition("listen 8080;")[2].partition("server {")[0]
    assert plain.split()[:2] == ["return", "308"]
    assert "location" not in plain
    ports = find(objects, "Service", "harbor")["spec"]["ports"]
    (https,) = [port for port in ports if port["name"] == "https"]
    assert LAYOUT.url.endswith(f":{https['nodePort']}")
    assert {"containerPort": https["targetPort"]} in container_of(objects, "harbor-nginx")["ports"]


@pytest.mark.parametrize("workload", ["harbor-core", "harbor-jobservice", "harbor-registry"])
def test_the_authority_is_where_each_container_adds_it_to_those_it_trusts(objects, workload):
    for container in pod_of(objects, workload)["containers"]:
        places = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert "/harbor_cust_cert/custom-ca.crt" in places
