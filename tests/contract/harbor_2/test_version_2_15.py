"""What users see differently of 2.15 than of 2.12, as recorded from v2.15.2; everything else is the same.

Told by the recordings of 2.15: challenge, push-pull, csrf, systeminfo, schema.
"""

import json
from collections.abc import Iterator

import pytest

from tests.contract.harbor_2 import exchanges, images
from tests.contract.harbor_2.stack import CORE_URL, CSRF_KEY, REGISTRY_PASSWORD, REGISTRY_USER, Stack

INTERNAL_ERROR = {"errors": [{"code": "UNKNOWN", "message": "internal server error"}]}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack(version="2.15")
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


@pytest.mark.parametrize(
    "host, realm",
    [
        ("127.0.1.1:8080", "http://127.0.1.1:8080"),
        ("other.test:8443", "http://other.test:8443"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("HARBOR.EXAMPLE", "http://HARBOR.EXAMPLE"),
        (CORE_URL.partition("://")[2], CORE_URL),
    ],
)
def test_the_realm_is_made_of_the_host_that_was_asked_and_of_no_forwarded_one(client, host, realm):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test", "Forwarded": "host=fwd.test"}
    status, headers, _, _ = client.request("core-a", "GET", "/v2/", {"Host": host, **forwarded})
    assert status == 401
    challenge = f'Bearer realm="{realm}/service/token",service="harbor-registry"'
    assert dict(headers)["Www-Authenticate"] == challenge


def test_the_registry_behind_is_given_digests_and_knows_no_tags(client):
    image = images.push(client, "library/untagged", "v1")

    def behind(path: str) -> int:
        password = exchanges.credentials(f"{REGISTRY_USER}:{REGISTRY_PASSWORD}")
        headers = {"Authorization": password, "Accept": images.MANIFEST}
        return client.request("registry", "GET", f"/v2/library/untagged/{path}", headers)[0]

    assert behind("tags/list") == 404
    assert behind("manifests/v1") == 404
    assert behind(f"manifests/{image.digest}") == 200
    assert [images.pull(client, "library/untagged", "v1", to=core) for core in ("core-a", "core-b")] == [
        200
    ] * 2


def test_only_who_has_logged_in_is_told_the_version(client):
    _, _, body, _ = client.request("core-a", "GET", "/api/v2.0/systeminfo", {})
    assert "harbor_version" not in json.loads(body)
    assert client.api("GET", "/systeminfo")[2]["harbor_version"] == "v2.15.2-stand-in"


def test_the_schema_has_the_version_of_2_15(stack):
    assert stack.sql("SELECT version, dirty FROM schema_migrations") == [["180", "f"]]


def test_with_a_csrf_key_of_a_wrong_length_all_that_has_a_session_fails_and_nothing_else(client, stack):
    stack.restart_core("core-b", CSRF_KEY=CSRF_KEY[:31])
    for path in ("/", "/c/login", "/nosuch"):
        status, _, body, _ = client.request("core-b", "GET", path, {})
        assert (status, json.loads(body)) == (500, INTERNAL_ERROR)
    for path in ("/api/v2.0/ping", "/api/v2.0/health"):
        assert client.request("core-b", "GET", path, {})[0] == 200
        assert client.request("core-b", "GET", path, {"Cookie": "sid=" + 32 * "2"})[0] == 500
    assert client.request("core-b", "GET", "/v2/", {})[0] == 401
