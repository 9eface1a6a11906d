"""The lab's ingress controller: its nginx does what an Ingress says, and its objects say who it is."""

import base64
import json

import pytest

from lab import settings
from lab.deployment.manifests.objects import find, read
from lab.kubernetes import ingress_controller
from lab.layouts.harbor_2.ingress import LAYOUT
from lab.profiles import HARBOR_2
from lab.waiting import NotYet


@pytest.fixture
def ingress(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    objects = read(HARBOR_2.manifests, namespace=HARBOR_2.namespace)
    LAYOUT.change(objects)
    return find(objects, "Ingress", "harbor-ingress")


ADDRESSES = {"harbor-core": "198.19.0.21", "harbor-portal": "198.19.0.22"}


def test_paths_lead_to_the_services_that_the_ingress_names(ingress):
    text = ingress_controller.configuration(ingress, ADDRESSES)
    for prefix, upstream in {
        "/api/": "harbor-core-80",
        "/v2/": "harbor-core-80",
        "/": "harbor-portal-80",
    }.items():
        assert f"location {prefix} {{ proxy_pass http://{upstream}; }}" in text
    assert text.count("server 198.19.0.21:80 max_fails=0;") == 3  # one to try and two to try next


def test_annotations_say_how_large_bodies_are_and_where_http_leads(ingress):
    said = ingress_controller.configuration(ingress, ADDRESSES)
    assert "client_max_body_size 0;" in said
    assert "return 308 https://$host:31443$request_uri;" in said
    ingress["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
    other = ingress_controller.configuration(ingress, ADDRESSES)
    assert "client_max_body_size 1m;" in other
    assert "return 308" not in other
    assert other.count("location /v2/ ") == 2  # with TLS and without


def test_another_certificate_makes_other_pods_and_the_same_one_does_not(ingress):
    def template(certificate):
        secret = {"tls.crt": certificate, "tls.key": "a2V5", "ca.crt": "Y2E="}
        return find(ingress_controller.objects_of("nginx", secret), "Deployment", "ingress-nginx-controller")

    assert template("b25l") == template("b25l")
    assert template("b25l")["spec"]["template"] != template("dHdv")["spec"]["template"]


def test_clients_are_told_where_they_come_in_once_all_replicas_have_this_configuration(ingress, monkeypatch):
    commands = []
    secret = {key: base64.b64encode(b"pem").decode() for key in ("tls.crt", "tls.key")}

    def kubectl(*argv, input=None, timeout_s=60):
        commands.append(argv)
        if argv[0] == "get":
            kind, name = argv[1:3]
            found = {"ingress": ingress, "secret": {"data": secret}}
            address = ADDRESSES.get(name, "198.19.0.23")
            return json.dumps(found.get(kind, {"spec": {"clusterIP": address}}))
        return ""

    monkeypatch.setattr(ingress_controller, "kubectl", kubectl)
    ingress_controller.serve("harbor-2", "harbor-ingress")
    done = [argv[0] for argv in commands if argv[0] != "get"]
    assert done == ["apply", "rollout", "patch"]
    told = json.loads(commands[-1][-1].removeprefix("--patch="))
    assert told == {"status": {"loadBalancer": {"ingress": [{"ip": "198.19.0.23"}]}}}
    assert "--subresource=status" in commands[-1]


@pytest.mark.parametrize(
    "status, well", [({"readyReplicas": 2}, True), ({"readyReplicas": 1}, False), ({}, False)]
)
def test_it_is_well_with_all_of_its_pods(monkeypatch, status, well):
    monkeypatch.setattr(ingress_controller, "kubectl", lambda *_: json.dumps({"status": status}))
    if well:
        assert ingress_controller.healthy() == "2 of 2 pods of the ingress controller are Ready"
    else:
        with pytest.raises(NotYet, match="of 2 pods"):
            ingress_controller.healthy()
