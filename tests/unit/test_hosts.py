"""What a host in Harbor's settings leads to: a Service of its own namespace, or another host."""

import socket
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import store_links
from harbor_verify.model.discovery import Backend, Deployment
from harbor_verify.profiles import harbor_2


def deployment(status=200, external_name=None):
    """In namespace h, with a Service `database` and one endpoint behind it."""

    def read(name, namespace):
        if (name, namespace) != ("database", "h") or status != 200:
            raise client.ApiException(status=404 if status == 200 else status)
        return client.V1Service(
            metadata=client.V1ObjectMeta(name=name),
            spec=client.V1ServiceSpec(external_name=external_name, ports=PORTS),
        )

    kubernetes = SimpleNamespace(
        core=SimpleNamespace(read_namespaced_service=read), asking=lambda what: nullcontext()
    )
    made = Deployment(kubernetes, "h", harbor_2.PROFILE, {})
    made._slices = lambda service: [(client.V1EndpointSlice(**SLICE, endpoints=[POD]), [POD])]
    return made


PORTS = [client.V1ServicePort(name="sql", port=5432), client.V1ServicePort(name="metrics", port=9187)]
POD = client.V1Endpoint(
    addresses=["198.51.100.7"], target_ref=client.V1ObjectReference(kind="Pod", name="database-0", uid="u0")
)
SLICE = {
    "address_type": "IPv4",
    "ports": [
        client.DiscoveryV1EndpointPort(name="metrics", port=19187),
        client.DiscoveryV1EndpointPort(name="sql", port=15432),
    ],
}


@pytest.mark.parametrize(
    "host", ["database", "database.h", "database.h.svc", "database.h.svc.cluster.local", "database.h.svc."]
)
def test_a_service_of_the_namespace_is_named_alone_or_with_its_domain(host):
    assert deployment().service_at(host).metadata.name == "database"
    assert deployment().backends(host, 5432) == [Backend("198.51.100.7", 15432, "database-0", "u0")]


@pytest.mark.parametrize(
    "host", ["db.example", "database.other.svc", "database.h.svcx", "database.h.example", "no-such-service"]
)
def test_any_other_host_is_itself(host):
    assert deployment().service_at(host) is None
    assert deployment().backends(host, 5432) == [Backend(host, 5432)]


def test_a_service_that_stands_for_another_name_leads_to_that():
    assert deployment(external_name="db.example").backends("database", 5432) == [Backend("db.example", 5432)]


def test_a_service_that_may_not_be_read_is_not_taken_for_another_host():
    with pytest.raises(client.ApiException):
        deployment(status=403).service_at("database")


def test_a_pod_is_reached_by_port_forward_and_never_by_its_address(monkeypatch):
    opened = []

    def open_connection(kubernetes, **place):
        opened.append((place["pod"], place["port"]))
        raise ConnectionRefusedError

    monkeypatch.setattr(store_links, "open_connection", open_connection)
    kubernetes = SimpleNamespace(inside=False, close=lambda: None)
    access, settings = (
        SimpleNamespace(kubernetes=kubernetes, namespace="h"),
        SimpleNamespace(timeouts_s=(1, 1)),
    )
    links = store_links.StoreLinks(access, deployment(), settings, lambda role: [])
    address = links._from_here("database:5432")
    assert address.startswith("127.0.0.1:")
    assert links._from_here("database.h:5432") == address, "one way to one pod"
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as near:
        assert near.recv(1) == b""
    assert opened == [("database-0", 15432)]
    assert links._from_here("db.example:5432") == "db.example:5432"
    links.close()
