"""Where a proxy of the environment is used: for an object store that nothing else leads to."""

import hashlib

import pytest

from harbor_verify.clients import proxies
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from tests.unit.local_server import AnsweringHandler, LocalServer

BLOB = b"a layer"
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
STORE = "http://bucket.store.invalid/blob?signed=1"


class RegistryAndProxy(AnsweringHandler):
    """A registry that sends everybody to the store, and the proxy that leads there."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Host"]))
        if self.path == STORE:
            self.answer(200, BLOB)
        elif self.path.startswith("/v2/p/r/blobs/"):
            self.answer(307, Location=self.server.store)
        else:
            self.answer(404)


@pytest.fixture
def server(monkeypatch):
    for name in (*proxies.NAMES, "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = LocalServer(("127.0.0.1", 0), RegistryAndProxy)
    server.seen, server.store = [], STORE
    with server.running():
        monkeypatch.setenv("HTTP_PROXY", server.url)
        yield server


def pulled(server):
    with HttpClient("front-door", server.url, timeouts_s=(2, 5)) as http:
        return Registry(http).blob("p/r", DIGEST)


def test_a_store_that_only_a_proxy_leads_to_is_asked_by_it(server):
    assert pulled(server) == BLOB
    assert server.seen[-1] == (STORE, "bucket.store.invalid")
    assert server.seen[0][0] == f"/v2/p/r/blobs/{DIGEST}"


@pytest.mark.parametrize("address, way", [("127.0.0.9", {}), ("192.0.2.1", {"http": "http://p:3128"})])
def test_where_one_gets_without_a_proxy_none_is_used(server, monkeypatch, address, way):
    monkeypatch.setenv("http_proxy", "http://p:3128")
    monkeypatch.setattr(proxies, "_is_reached", lambda host, port, timeout_s: host != "192.0.2.1")
    assert proxies.way_to(f"http://{address}:{server.server_port}/x", timeout_s=1) == way


@pytest.mark.parametrize(
    "url, excepted, proxy",
    [
        ("https://h.example", "", None),
        ("http://h.example", "", "http://p:3128"),
        ("http://h.example", "other.example, .example", None),
        ("http://localhost:5000", "", None),
    ],
)
def test_the_environments_proxy_is_by_scheme_and_not_for_whom_it_excepts(
    server, monkeypatch, url, excepted, proxy
):
    monkeypatch.setenv("HTTP_PROXY", "http://p:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxies.of_environment(url) == proxy
