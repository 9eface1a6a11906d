"""What a host in Harbor's settings leads to: a Service of its own namespace, or another host."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.model.discovery import Deployment
from harbor_verify.profiles import harbor_2


def deployment(status=200, external_name=None):
    """In namespace h, with a Service `database` and one endpoint behind it."""

    def read(name, namespace):
        if (name, namespace) != ("database", "h") or status != 200:
            raise client.ApiException(status=404 if status == 200 else status)
        return client.V1Service(
            metadata=client.V1ObjectMeta(name=name), spec=client.V1ServiceSpec(external_name=external_name)
        )

    kubernetes = SimpleNamespace(
        core=SimpleNamespace(read_namespaced_service=read), asking=lambda what: nullcontext()
    )
    made = Deployment(kubernetes, "h", harbor_2.PROFILE, {})
    made.endpoints = lambda service: [SimpleNamespace(addresses=["198.51.100.7"])]
    return made


@pytest.mark.parametrize(
    "host", ["database", "database.h", "database.h.svc", "database.h.svc.cluster.local", "database.h.svc."]
)
def test_a_service_of_the_namespace_is_named_alone_or_with_its_domain(host):
    assert deployment().service_at(host).metadata.name == "database"
    assert deployment().addresses(host) == ["198.51.100.7"]


@pytest.mark.parametrize(
    "host", ["db.example", "database.other.svc", "database.h.svcx", "database.h.example", "no-such-service"]
)
def test_any_other_host_is_itself(host):
    assert deployment().service_at(host) is None
    assert deployment().addresses(host) == [host]


def test_a_service_that_stands_for_another_name_leads_to_that():
    assert deployment(external_name="db.example").addresses("database") == ["db.example"]


def test_a_service_that_may_not_be_read_is_not_taken_for_another_host():
    with pytest.raises(client.ApiException):
        deployment(status=403).service_at("database")
